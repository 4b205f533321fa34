"""Keeping house."""

from datetime import timedelta

from engine.authoring import JobContext, RetryPolicy, job


@job(queue="default", time_limit=timedelta(minutes=10), retry=RetryPolicy(attempts=2))
def purge_expired_artifacts(
    context: JobContext, *, older_than_days: int | None = None
) -> dict[str, int]:
    """Delete report files past their retention; the records stay.

    With `older_than_days`, those made longer ago than that as well.
    """
    older_than = None if older_than_days is None else timedelta(days=older_than_days)
    return {"purged": context.retention.purge(older_than=older_than)}
