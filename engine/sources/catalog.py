"""Sources by name, as the settings list them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.documents.closest import suggestion
from engine.sources.database import Database
from engine.sources.faults import UnknownSource, UnusableSource
from engine.sources.folder import Folder
from engine.sources.mysql import MysqlDatabase
from engine.sources.postgres import PostgresDatabase
from engine.sources.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from engine.store.database import Database as RunLedger

Source = Database | Folder

_LEDGER = "ledger"
_KNOWN = "sqlite:///path, postgresql://..., mysql://..., file://path or a folder"
_POSTGRES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_MYSQL = frozenset({"mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"})


def open_source(name: str, url: str, home: Path) -> Source:
    """The source that `url` means; relative paths are relative to `home`."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return Folder(name, home / url)
    if scheme == "file":
        return Folder(name, home / rest)
    if scheme == "sqlite" and rest.startswith("/") and rest != "/":
        return SqliteDatabase(name, home / rest[1:])
    if scheme in _POSTGRES:
        return PostgresDatabase(name, f"postgresql://{rest}")
    if scheme in _MYSQL:
        return MysqlDatabase(name, f"mysql://{rest}")
    reason = f"{scheme}:// is not supported; use {_KNOWN}"
    raise UnusableSource(example=name.upper(), reason=reason)


class Sources:
    """Every source that is set, and the run ledger if it is given; names know no case."""

    def __init__(
        self, urls: Mapping[str, str], home: Path, *, ledger: "RunLedger | None" = None
    ) -> None:
        self._sources: dict[str, Source] = {
            name.lower(): open_source(name.lower(), url, home) for name, url in urls.items()
        }
        if _LEDGER in self._sources:
            reason = (
                f"{_LEDGER!r} is the engine's own run ledger, which reports can always ask; give "
                "this source another name"
            )
            raise UnusableSource(example=_LEDGER.upper(), reason=reason)
        if ledger is not None:
            # It brings SQLAlchemy, which takes as long to import as all the rest.
            from engine.sources.ledger import LedgerDatabase

            self._sources[_LEDGER] = LedgerDatabase(ledger)

    def names(self) -> list[str]:
        """The names, sorted."""
        return sorted(self._sources)

    def get(self, name: str) -> Source:
        """The source named `name`; raises UnknownSource with the closest known name."""
        source = self._sources.get(name.lower())
        if source is None:
            raise UnknownSource(
                name=name, suggestion=suggestion(name, self._sources), example=name.upper()
            )
        return source
