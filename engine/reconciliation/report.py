"""The report of a reconciliation: a Result as a workbook, a CSV and a PDF.

The workbook and the CSV hold every break in the order of the result; the PDF begins with the
largest, because paper ends. All say the findings about the sources before any number.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.artifact_files.spool import AttemptSpool, SpooledFile
from engine.exporters.csv import CsvExporter
from engine.exporters.csv_profile import GUARDED
from engine.exporters.document import Bar, BarChart, Document, Fact, Notice, Table
from engine.exporters.exporter import Exporter
from engine.money import format_minor
from engine.reconciliation import report_tables as tables
from engine.reconciliation.result import Result
from engine.reconciliation.standing import StandingOf, unknown
from engine.redaction.hiding import hidden
from engine.reporting.pivot import CodeTotal, Measured, totals_by_code
from engine.reporting.publish import Publisher

FORMATS = ("xlsx", "csv", "pdf")
_MOST_NOTICES = 50  # of one report; a source of a million bad cells must not bury the numbers


def write_report(
    publisher: Publisher,
    spool: AttemptSpool,
    result: Result,
    *,
    made_at: datetime,
    run: str = "",
    standing_of: StandingOf = unknown,
    formats: Sequence[str] = FORMATS,
) -> Sequence[SpooledFile]:
    """Write the report of `result` in every format into the spool; `run` is its reference."""
    totals = _totals(result)
    full = full_document(result, totals, made_at=made_at, run=run, standing_of=standing_of)
    printed = printed_document(result, totals, made_at=made_at, run=run, standing_of=standing_of)
    documents = [(name, printed if name == "pdf" else full) for name in formats]
    publisher = replace(publisher, exporters=guarded(publisher.exporters))
    return publisher.write(spool, report_name(result), documents)


def guarded(exporters: Mapping[str, Exporter]) -> Mapping[str, Exporter]:
    """The exporters of these reports: a list of breaks is opened in a spreadsheet as well."""
    return {**exporters, "csv": CsvExporter(profile=GUARDED)}


def report_name(result: Result) -> str:
    """The name of the files: the reconciliation and the local day it is about."""
    day = result.period[0] if result.period else result.cut_off
    return f"{result.reconciliation}-{day.astimezone(ZoneInfo(result.timezone)):%Y-%m-%d}"


def full_document(
    result: Result,
    totals: Sequence[CodeTotal] | None = None,
    *,
    made_at: datetime,
    run: str = "",
    standing_of: StandingOf = unknown,
) -> Document:
    """Everything, for the workbook and the CSV."""
    totals = _totals(result) if totals is None else totals
    summaries = [tables.sources(result), tables.control_totals(result), tables.pivot(totals)]
    summaries += _meanings(totals)
    breaks = tables.breaks(result, standing_of)
    return _document(result, totals, summaries, breaks, made_at, run)


def printed_document(
    result: Result,
    totals: Sequence[CodeTotal] | None = None,
    *,
    made_at: datetime,
    run: str = "",
    standing_of: StandingOf = unknown,
) -> Document:
    """What fits on paper, for the PDF."""
    totals = _totals(result) if totals is None else totals
    summaries = [tables.sources(result), tables.control_totals(result), tables.by_code(totals)]
    summaries += _meanings(totals)
    breaks = tables.largest_breaks(result, standing_of)
    return _document(result, totals, summaries, breaks, made_at, run)


def _document(
    result: Result,
    totals: Sequence[CodeTotal],
    summaries: Sequence[Table],
    breaks: Table,
    made_at: datetime,
    run: str,
) -> Document:
    chart = BarChart(title="Breaks by code", bars=_bars(totals))
    return Document(
        title=hidden(result.title),
        subtitle=f"Reconciliation {result.reconciliation}: {', '.join(result.checks)}",
        keywords=("reconciliation", result.reconciliation),
        made_at=made_at,
        timezone=result.timezone,
        notices=list(_notices(result)),
        facts=list(_facts(result, run)),
        summaries=summaries,
        charts=[chart] if chart.bars else [],
        tables=[breaks],
        template="reconciliation.html",
    )


def _meanings(totals: Sequence[CodeTotal]) -> Sequence[Table]:
    return [tables.meanings(totals)] if totals else []


def _facts(result: Result, run: str) -> Iterator[Fact]:
    if run:
        yield Fact(label="Run", value=run)
    if result.period is not None:
        zone = ZoneInfo(result.timezone)
        start, end = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in result.period)
        yield Fact(label="Period", value=f"{start} to {end} (excluded)")
    yield Fact(label="Cut-off", value=result.cut_off)
    yield Fact(label="Read at", value=result.read_at)
    yield Fact(label="Checks", value=", ".join(result.checks))
    yield Fact(label="Breaks", value=len(result.differences))
    listed = {each.code for each in result.differences}
    for code, count in sorted(result.counts.items()):
        if code not in listed:
            yield Fact(label=f"{code} (information)", value=count)


def _notices(result: Result) -> Iterator[Notice]:
    """What must be known before the numbers: bad sources, then totals that do not tie out."""
    for finding in result.findings[:_MOST_NOTICES]:
        where = ", ".join(part for part in (finding.side, finding.where) if part)
        text = f"{where}: {finding.message}" if where else finding.message
        # It may repeat a row of a source, or what a driver said.
        yield Notice(code=finding.code, text=hidden(text))
    if len(result.findings) > _MOST_NOTICES:
        counts = Counter(finding.code for finding in result.findings)
        said = ", ".join(f"{code} {count:,}" for code, count in sorted(counts.items()))
        yield Notice(code="MORE_FINDINGS", text=f"{len(result.findings):,} in all: {said}")
    for total in result.totals:
        if total.gap_minor:
            gap = f"{format_minor(total.gap_minor, total.currency)} {total.currency}"
            text = f"the totals of {total.currency} do not tie out: {gap} is unexplained"
            yield Notice(code="CONTROL_TOTALS", text=text)
    if result.totals and not any(total.gap_minor for total in result.totals):
        currencies = ", ".join(total.currency for total in result.totals)
        yield Notice(code="TIES OUT", text=f"control totals of {currencies}", grave=False)


def _totals(result: Result) -> Sequence[CodeTotal]:
    return totals_by_code(
        Measured(code=each.code, currency=each.currency, amount_minor=each.amount_minor)
        for each in result.differences
    )


def _bars(totals: Sequence[CodeTotal]) -> Sequence[Bar]:
    """One bar a code, the most frequent first; sizes are said per currency, never added up."""
    counts: Counter[str] = Counter()
    sizes: dict[str, list[str]] = {}
    for total in totals:
        counts[total.code] += total.count
        size = f"{total.currency} {format_minor(total.gross_minor, total.currency)}"
        sizes.setdefault(total.code, []).append(size)
    return [
        Bar(label=code, value=count, note=", ".join(sizes[code]))
        for code, count in counts.most_common()
    ]
