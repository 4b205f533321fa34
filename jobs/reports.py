"""Reports, and their rows alone."""

from datetime import timedelta
from typing import Any

from engine.authoring import (
    Identifier,
    JobContext,
    Names,
    Others,
    ReportName,
    RetryPolicy,
    Secret,
    job,
)

_NEVER = ("ProofFailed", "NotReconciled", "WrongValue", "InvalidQuery")


@job(
    queue="default",
    time_limit=timedelta(hours=2),
    retry=RetryPolicy(attempts=3, never_retry_on=_NEVER),
)
def report(
    context: JobContext,
    *,
    name: ReportName,
    period: Identifier | None = None,
    formats: Names | None = None,
    locales: Names | None = None,
    personal: bool = False,
    archive: bool = False,
    password: Secret[str] | None = None,
    params: Others | None = None,
) -> dict[str, Any]:
    """Make a report: every format, in every language, from one reading of its source.

    `period` is a day (2026-01-31), a month (2026-01), two days (2026-01-01/2026-01-15) or
    previous_day, previous_week, previous_month; what no parameter is called is the report's own.
    `archive`: the PDF is PDF/A-3 with its rows inside. `password`, for formats=pdf: to open it.
    """
    return context.reports.run(
        context,
        name,
        params=params,
        period=period,
        formats=formats,
        locales=locales,
        personal=personal,
        archive=archive,
        password=password,
    )


@job(
    queue="default",
    time_limit=timedelta(hours=2),
    retry=RetryPolicy(attempts=3, never_retry_on=_NEVER),
)
def export(
    context: JobContext,
    *,
    name: ReportName,
    dataset: Identifier | None = None,
    formats: Names | None = None,
    locales: Names | None = None,
    period: Identifier | None = None,
    personal: bool = False,
    params: Others | None = None,
) -> dict[str, Any]:
    """Write the rows of one dataset of a report and nothing around them, as CSV unless asked."""
    return context.reports.export(
        context,
        name,
        dataset=dataset,
        params=params,
        period=period,
        formats=formats,
        locales=locales,
        personal=personal,
    )
