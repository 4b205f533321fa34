"""Reconciling what should agree."""

from datetime import date, timedelta
from typing import Any

from pydantic import AwareDatetime

from engine.authoring import JobContext, ReconciliationName, RetryPolicy, job


@job(queue="default", time_limit=timedelta(hours=2), retry=RetryPolicy(attempts=3))
def reconcile(
    context: JobContext,
    *,
    definition: ReconciliationName,
    as_of: AwareDatetime | date | None = None,
) -> dict[str, Any]:
    """Compare the sides of a definition up to a cut-off, track each break, publish the report.

    `as_of` is the cut-off: an instant, or a date, whose whole day counts; now if it is left out.
    """
    return context.reconciliations.run(context, definition, as_of=as_of)
