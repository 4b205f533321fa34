"""A report's facts, rows and documents, for tests of what is proven of its files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from engine.exporters.document import Column, Document, Kind, Row, Table
from engine.exporters.recount.figures import Figures
from engine.exporters.recount.layout import layout_of
from engine.exporters.recount.tally import figures_of
from engine.reporting.manifest import ReportFacts
from engine.reporting.proof import Dataset
from engine.reporting.proven import ProvenFile
from engine.reporting.publish import Publisher
from engine.store.artifacts import Artifact
from engine.store.run import Claim

DAY = (datetime(2026, 11, 22, 21, tzinfo=UTC), datetime(2026, 11, 23, 21, tzinfo=UTC))
COLUMNS = [
    Column(name="school", title="School"),
    Column(name="currency", title="Currency"),
    Column(name="sales", title="Sales", kind=Kind.MONEY, currency_column="currency"),
    Column(name="meals", title="Meals", kind=Kind.INTEGER, total=True),
]
ROWS: Sequence[Row] = [
    ("Al Noor", "SAR", 125_050, 40),
    ("Al Fajr", "SAR", 10_000, 4),
    ("Salmiya", "KWD", 7_125, 12),
]


def facts(**changes: Any) -> ReportFacts:
    """Those of a daily report."""
    known = ReportFacts(
        report="daily_sales",
        title="Daily sales",
        definition_sha256="d" * 64,
        template_sha256=None,
        params={"school": "all", "guardian": "***"},
        period=DAY,
        timezone="Asia/Riyadh",
        snapshot_at=DAY[1],
        code_version="0.1.0+3f9a2c1b",
        asked_by="mona",
        run="RUN1",
    )
    return replace(known, **changes)


def sales(rows: Sequence[Row] = ROWS) -> Document:
    """The report of these rows."""
    table = Table(name="sales", title="Sales", columns=COLUMNS, rows=rows)
    return Document(title="Daily sales", made_at=DAY[1], timezone="Asia/Riyadh", tables=[table])


def dataset(document: Document, asked: Figures | None = None) -> Dataset:
    """What was read of the document's table; the source says the same if nothing else is given."""
    (table,) = document.tables
    layout = layout_of(table)
    read = figures_of(table, layout)
    return Dataset(layout=layout, read=read, asked=asked or read)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where reports are written and stored, for one attempt after the other."""

    publisher: Publisher

    def write(
        self,
        claim: Claim,
        formats: Sequence[str] = ("csv",),
        *,
        document: Document | None = None,
        read: Dataset | None = None,
        **changes: Any,
    ) -> Sequence[ProvenFile]:
        """Write the daily report into the attempt's spool."""
        document = document or sales()
        spool = self.publisher.spool.of(f"RUN{claim.run_id}", claim.attempt)
        return self.publisher.write_report(
            spool,
            "daily-sales-2026-11-23",
            [(each, document) for each in formats],
            facts(**changes),
            [read or dataset(document)],
        )

    def publish(self, claim: Claim, *arguments: Any, **changes: Any) -> Sequence[Artifact]:
        """Write it and store it."""
        files = self.write(claim, *arguments, **changes)
        return self.publisher.store_report(claim.run_id, files, claim=claim)

    def stored(self, path: str) -> bytes:
        """What is on the storage."""
        with self.publisher.files.open(path) as source:
            return source.read()
