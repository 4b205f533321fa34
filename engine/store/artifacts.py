"""Artifacts at rest: the records of files that runs produced. They outlive the files."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, exists, func, insert, or_, select, update

from engine.clock import Clock, rfc3339
from engine.errors import EngineError, UnknownId
from engine.store.database import Database
from engine.store.endings import held
from engine.store.row_id import require_id
from engine.store.run import Claim
from engine.store.tables import artifacts, runs
from engine.store.turns import take_turn

# A file's manifest stands beside it.
MANIFEST_SUFFIX = ".manifest.json"


class VersionTaken(EngineError):
    """Another run has recorded that version of the series."""

    message = "version {version} of {series} is another run's"


@dataclass(frozen=True, kw_only=True)
class NewArtifact:
    """A file that is whole and waits to be recorded.

    Files of one `series` are of one report, format, period and parameters; each run's is a version
    of its own. What is `quarantined` is not what it should be, for that reason, and is no version.
    """

    run_id: int
    name: str
    media_type: str
    size: int
    sha256: str
    rows: int
    path: str
    report: str | None = None
    series: str | None = None
    version: int = 1
    manifest: Mapping[str, Any] | None = None
    quarantined: str | None = None

    @property
    def paths(self) -> Sequence[str]:
        """Where the file is, and its manifest if it has one."""
        beside = [] if self.manifest is None else [f"{self.path}{MANIFEST_SUFFIX}"]
        return [self.path, *beside]


@dataclass(frozen=True, kw_only=True)
class Artifact(NewArtifact):
    """A recorded file; the file is gone once `deleted_at` is set."""

    id: int
    created_at: datetime
    expires_at: datetime | None
    deleted_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """The artifact as other programs rely on it."""
        return {
            "id": self.id,
            "run_id": self.run_id,
            "name": self.name,
            "media_type": self.media_type,
            "size": self.size,
            "sha256": self.sha256,
            "rows": self.rows,
            "path": self.path,
            "report": self.report,
            "version": self.version,
            "quarantined": self.quarantined,
            "created_at": rfc3339(self.created_at),
            "expires_at": rfc3339(self.expires_at),
        }


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A record that was written, and the file that no record names any more because of it."""

    artifact: Artifact
    replaced_paths: Sequence[str] = ()


class ArtifactStore:
    """Records of files: one for each run and name, and for each series and version."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(
        self, new: NewArtifact, *, keep_for: timedelta | None = None, claim: Claim | None = None
    ) -> Recorded | None:
        """Record a whole file, in place of what its run had by that name.

        None, with nothing written, if `claim` is given and no longer holds the run. Raises
        VersionTaken if another run has recorded that version meanwhile.
        """
        now = self._clock.now()
        values = {
            **asdict(new),
            "created_at": now,
            "expires_at": None if keep_for is None else now + keep_for,
            "deleted_at": None,
        }
        same = (artifacts.c.run_id == new.run_id, artifacts.c.name == new.name)
        with self._database.begin() as connection:
            if new.series is not None:
                take_turn(connection, "series", new.series)
            if not _take_run(connection, new.run_id, claim):
                return None
            if new.series is not None and new.quarantined is None:
                _require_free(connection, new.series, new.version, new.run_id)
            before = connection.execute(select(artifacts).where(*same)).one_or_none()
            write = (
                insert(artifacts)
                if before is None
                else update(artifacts).where(artifacts.c.id == before.id)
            )
            written = connection.execute(write.values(values).returning(*artifacts.c))
            artifact = _artifact(written.one())
        had_file = before is not None and before.deleted_at is None
        return Recorded(
            artifact=artifact, replaced_paths=_artifact(before).paths if before and had_file else ()
        )

    def next_version(self, series: str, run_id: int) -> int:
        """The version that a run's file of a series is: the one it has, or the next one.

        Versions whose files are gone stay taken.
        """
        good = (artifacts.c.series == series, artifacts.c.quarantined.is_(None))
        own = select(func.max(artifacts.c.version)).where(*good, artifacts.c.run_id == run_id)
        latest = select(func.max(artifacts.c.version)).where(*good)
        with self._database.read() as connection:
            known: int | None = connection.execute(own).scalar()
            return known or (connection.execute(latest).scalar() or 0) + 1

    def list(
        self,
        *,
        run_id: int | None = None,
        name: str | None = None,
        report: str | None = None,
        limit: int = 50,
        deleted: bool = False,
        quarantined: bool | None = False,
        latest: bool = False,
    ) -> Sequence[Artifact]:
        """Newest first; those whose file is gone only if asked for.

        `quarantined` None is all, good or not. With `latest`, of each series its last version.
        """
        query = select(artifacts).order_by(artifacts.c.created_at.desc(), artifacts.c.id.desc())
        if run_id is not None:
            query = query.where(artifacts.c.run_id == run_id)
        if name is not None:
            query = query.where(artifacts.c.name == name)
        if report is not None:
            query = query.where(artifacts.c.report == report)
        if not deleted:
            query = query.where(artifacts.c.deleted_at.is_(None))
        if quarantined is not None:
            column = artifacts.c.quarantined
            query = query.where(column.is_not(None) if quarantined else column.is_(None))
        if latest:
            query = query.where(~_later_version())
        with self._database.read() as connection:
            return [_artifact(row) for row in connection.execute(query.limit(limit))]

    def get(self, artifact_id: int) -> Artifact:
        """The record of that id, its file there or not; raises UnknownId."""
        require_id("artifact", artifact_id)
        with self._database.read() as connection:
            row = connection.execute(
                select(artifacts).where(artifacts.c.id == artifact_id)
            ).one_or_none()
        if row is None:
            raise UnknownId(noun="artifact", id=artifact_id)
        return _artifact(row)

    def expired(
        self, now: datetime, *, made_before: datetime | None = None, limit: int = 1_000
    ) -> Sequence[Artifact]:
        """Those past their retention, oldest first: by their own date, or made before another."""
        due = artifacts.c.expires_at <= now
        if made_before is not None:
            due = or_(due, artifacts.c.created_at <= made_before)
        query = (
            select(artifacts)
            .where(artifacts.c.deleted_at.is_(None), due)
            .order_by(artifacts.c.created_at, artifacts.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_artifact(row) for row in connection.execute(query)]

    def mark_deleted(self, artifact: Artifact) -> bool:
        """Say that the file is gone; False if the record has meanwhile got another file."""
        with self._database.begin() as connection:
            marked = connection.execute(
                update(artifacts)
                .where(
                    artifacts.c.id == artifact.id,
                    artifacts.c.path == artifact.path,
                    artifacts.c.deleted_at.is_(None),
                )
                .values(deleted_at=self._clock.now())
            )
        return marked.rowcount == 1

    def recorded(self, paths: Collection[str]) -> set[str]:
        """Those of the paths whose file a record says is there, manifests among them."""
        files = {path: path.removesuffix(MANIFEST_SUFFIX) for path in paths}
        wanted = {*files, *files.values()}
        query = select(artifacts.c.path).where(
            artifacts.c.deleted_at.is_(None), artifacts.c.path.in_(wanted)
        )
        with self._database.read() as connection:
            known = set(connection.execute(query).scalars())
        return {path for path, file in files.items() if path in known or file in known}


def _take_run(connection: Connection, run_id: int, claim: Claim | None) -> bool:
    """Let nobody else record a file of the run meanwhile; False if the claim no longer holds."""
    whose = runs.c.id == run_id if claim is None else held(claim)
    taken = select(runs.c.id).where(whose).with_for_update(key_share=True)
    return connection.execute(taken).first() is not None or claim is None


def _require_free(connection: Connection, series: str, version: int, run_id: int) -> None:
    other = select(artifacts.c.run_id).where(
        artifacts.c.series == series,
        artifacts.c.version == version,
        artifacts.c.quarantined.is_(None),
        artifacts.c.run_id != run_id,
    )
    if connection.execute(other).first() is not None:
        raise VersionTaken(series=series, version=version)


def _later_version() -> Any:
    """Whether a good file of the same series is there that is later than a row's."""
    later = artifacts.alias()
    return exists().where(
        later.c.series == artifacts.c.series,
        later.c.version > artifacts.c.version,
        later.c.quarantined.is_(None),
        later.c.deleted_at.is_(None),
    )


def _artifact(row: Row[Any]) -> Artifact:
    return Artifact(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
