"""The report service: read a report's source once, write every format and language, publish.

What was written but could not be stored is kept in the spool: the run's next attempt on this
machine only stores it.
"""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from engine.artifact_files.spool import AttemptSpool
from engine.clock import Clock
from engine.exporters.formats import printed
from engine.reporting.asking import Asked, Wish, settle
from engine.reporting.attempt import Attempt
from engine.reporting.definitions import ReportDefinitions
from engine.reporting.manifest import ReportFacts, params_told
from engine.reporting.proven import ProvenFile
from engine.reporting.publish import Publisher
from engine.reporting.reading import ReportReading, open_reading
from engine.reporting.report_documents import ReportDocuments, Told
from engine.reporting.requirement import Requirements
from engine.reporting.shown_params import shown_values
from engine.reporting.writing import ReportWriter
from engine.store.run import Run
from engine.store.runs import RunStore

logger = logging.getLogger("engine.reports")

_ALL = 100  # steps of a run: the rows are read in the first half, the files written in the second
_READ, _WRITTEN = 50, 95
_PAGES = 20  # drawn from note to note


class ScheduledAttempt(Attempt, Protocol):
    """One whose run may have been due at an instant."""

    @property
    def scheduled_for(self) -> datetime | None:
        """When its schedule was due."""


@dataclass(frozen=True, kw_only=True)
class Reports:
    """Makes reports by definition, and leaves their files behind."""

    definitions: ReportDefinitions
    publisher: Publisher
    requirements: Requirements
    runs: RunStore
    clock: Clock
    code_version: Callable[[], str]

    def run(
        self,
        attempt: ScheduledAttempt,
        name: str,
        *,
        params: Mapping[str, Any] | None = None,
        period: str | None = None,
        formats: Sequence[str] | None = None,
        locales: Sequence[str] | None = None,
        personal: bool = False,
        archive: bool = False,
        password: str | None = None,
        dataset: str | None = None,
    ) -> dict[str, Any]:
        """Make the report `name`, or only the rows of one `dataset` of it; None is its own choice.

        Raises what asking, reading and proving do; nothing is published then but what a proof
        found wrong, in quarantine.
        """
        wish = Wish(
            params=params or {},
            period=period,
            formats=formats,
            locales=locales,
            personal=personal,
            archive=archive,
            password=password,
        )
        spool = self.publisher.spool.of(attempt.reference, attempt.claim.attempt)
        sealed = self.publisher.earlier_report(spool)
        if sealed is None:
            spool.clear()
            files, result = self._write(attempt, spool, name, wish, dataset)
            sealed = self.publisher.seal_report(spool, files, {"result": result})
        else:
            logger.info("an earlier attempt left only its files to store")
        attempt.progress(_WRITTEN, _ALL, "storing the files")
        self.publisher.store_report(
            attempt.claim.run_id,
            sealed.files,
            claim=attempt.claim,
            tell=lambda note: attempt.progress(_WRITTEN, _ALL, note),
        )
        attempt.progress(_ALL, _ALL, "done")
        return dict(sealed.facts["result"])

    def export(
        self,
        attempt: ScheduledAttempt,
        name: str,
        *,
        dataset: str | None = None,
        formats: Sequence[str] | None = None,
        **wish: Any,
    ) -> dict[str, Any]:
        """The rows of a dataset, the main one if none is named, as CSV if no format is."""
        dataset = dataset or self.definitions.load(name).main.name
        return self.run(attempt, name, dataset=dataset, formats=formats or ("csv",), **wish)

    def _write(
        self,
        attempt: ScheduledAttempt,
        spool: AttemptSpool,
        name: str,
        wish: Wish,
        dataset: str | None,
    ) -> tuple[list[ProvenFile], dict[str, Any]]:
        """Read everything, and write it into the spool."""
        run = self.runs.get(attempt.claim.run_id)
        definition = self.definitions.load(name)
        if dataset is not None:
            self.definitions.require_dataset(definition, dataset)
        asked = settle(
            definition, wish, at=attempt.scheduled_for or run.created_at, period=attempt.period
        )
        scratch = self.publisher.spool.folder / attempt.reference / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        attempt.progress(0, _ALL, f"reading {definition.source}")
        try:
            with open_reading(
                definition,
                asked,
                self.definitions.sources,
                scratch=scratch,
                clock=self.clock,
                progress=lambda name, rows: attempt.progress(0, _ALL, f"{name}: {rows:,} rows"),
            ) as reading:
                reading.require_rows()
                writer = self._writer(attempt, run, spool, wish, asked, reading)
                only = asked.definition.dataset(dataset) if dataset else None
                files = writer.write(only)
                return files, _result(asked, reading, only.name if only else None)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _writer(
        self,
        attempt: ScheduledAttempt,
        run: Run,
        spool: AttemptSpool,
        wish: Wish,
        asked: Asked,
        reading: ReportReading,
    ) -> ReportWriter:
        definition, now = asked.definition, self.clock.now()
        values = shown_values(definition, asked.values, run.params)
        period = (asked.period.start, asked.period.end) if asked.period else None
        stamps = {
            each.reconciliation: self.requirements.check(each, period, reading.read_at)
            for each in definition.requires
        }
        told = Told(
            made_at=now,
            read_at=reading.read_at,
            period=asked.period,
            values=values,
            run=attempt.reference,
            stamps={name: stamp for name, stamp in stamps.items() if stamp is not None},
        )
        facts = ReportFacts(
            report=definition.name,
            title=definition.title.en,
            definition_sha256=self.definitions.hash_of(definition.name),
            template_sha256=self.definitions.hash_of_template(definition),
            params=params_told(run.params, values),
            period=period,
            timezone=definition.timezone,
            snapshot_at=reading.read_at,
            code_version=self.code_version(),
            asked_by=run.actor,
            run=attempt.reference,
            locale=asked.locales[0],
            confidentiality=definition.confidentiality.en if definition.confidentiality else "",
        )
        far = [_READ]

        def tell(done: int, of: int, note: str) -> None:
            far[0] = _READ + done * (_WRITTEN - _READ) // of
            attempt.progress(far[0], _ALL, note)

        def turned(pages: int) -> None:
            if pages % _PAGES == 0:
                attempt.progress(far[0], _ALL, f"{pages:,} pages are drawn")

        exporters = printed(
            self.publisher.exporters, archival=wish.archive, password=wish.password, turned=turned
        )
        return ReportWriter(
            publisher=replace(self.publisher, exporters=exporters),
            spool=spool,
            asked=asked,
            reading=reading,
            documents=ReportDocuments(definition=definition, reading=reading, told=told),
            facts=facts,
            tell=tell,
        )


def _result(asked: Asked, reading: ReportReading, only: str | None) -> dict[str, Any]:
    """What the run says in short."""
    names = [each.name for each in asked.definition.datasets if only in (None, each.name)]
    return {
        "report": asked.definition.name,
        "period": asked.period.name if asked.period else None,
        "rows": {name: reading.extract.count(name) for name in names},
    }
