"""Events: what an operator should hear of, as frozen facts. Each is raised once, by its key.

That a run failed is no event of its own: it is listed, counted and measured, and becomes one when
nobody has touched it for a day, or when nothing goes on without a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

# A failed run that nobody has done anything with for so long is an event.
UNTOUCHED_FOR = timedelta(hours=24)

# How the key of an event about a review begins; the run's id and attempt follow.
REVIEW_KEY = "run_in_review:"


class EventKind(StrEnum):
    """What happened."""

    FAILED_RUNS_UNTOUCHED = "failed_runs_untouched"
    RUN_QUARANTINED = "run_quarantined"
    RUN_NEEDS_REVIEW = "run_needs_review"
    QUEUE_OVER_LIMIT = "queue_over_limit"
    QUEUE_WITHIN_LIMIT = "queue_within_limit"

    @property
    def is_trouble(self) -> bool:
        """False for what says that trouble is over."""
        return self is not EventKind.QUEUE_WITHIN_LIMIT


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to `subject`; two with one key are the same event."""

    kind: EventKind
    subject: str
    key: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """One sentence for people."""
        return _SENTENCES[self.kind].format(subject=self.subject, **self.facts)


_SENTENCES: Mapping[EventKind, str] = {
    EventKind.FAILED_RUNS_UNTOUCHED: (
        "failed runs that nobody has touched for {hours} h: {count}, the oldest {reference}"
    ),
    EventKind.RUN_QUARANTINED: (
        "run {subject} of {job} is quarantined; nobody may retry it before a review"
    ),
    EventKind.RUN_NEEDS_REVIEW: "run {subject} of {job} failed and needs a review: {error}",
    EventKind.QUEUE_OVER_LIMIT: "queue {queue} is over its limit: {said}",
    EventKind.QUEUE_WITHIN_LIMIT: "queue {queue} is within its limit again: {said}",
}


def failed_runs_untouched(*, count: int, oldest: str, day: date) -> Event:
    """At most one a day, for as long as there are any; `oldest` is a run's reference."""
    kind = EventKind.FAILED_RUNS_UNTOUCHED
    hours = UNTOUCHED_FOR // timedelta(hours=1)
    facts = {"count": count, "reference": oldest, "hours": hours}
    return Event(kind=kind, subject="failed runs", key=untouched_key(day), facts=facts)


def untouched_key(day: date) -> str:
    """The key of a day's event about untouched failed runs."""
    return f"{EventKind.FAILED_RUNS_UNTOUCHED}:{day.isoformat()}"


def run_in_review(
    *, run_id: int, attempt: int, reference: str, job: str, queue: str, error_type: str, error: str
) -> Event:
    """A run waits for somebody's decision, after this attempt."""
    quarantined = error_type == "Quarantined"
    return Event(
        kind=EventKind.RUN_QUARANTINED if quarantined else EventKind.RUN_NEEDS_REVIEW,
        subject=reference,
        key=f"{REVIEW_KEY}{run_id}:{attempt}",
        facts={"run": run_id, "job": job, "queue": queue, "attempt": attempt, "error": error},
    )


def queue_over_limit(
    *, queue: str, measure: str, have: int, allowed: int, said: str, after: int
) -> Event:
    """A queue has more of something than a monitor allows; once an episode.

    `after` is the id of the event that ended the episode before, 0 if this is the first one.
    """
    kind = EventKind.QUEUE_OVER_LIMIT
    subject = limit_subject(queue, measure, allowed)
    facts = {"queue": queue, "measure": measure, "have": have, "allowed": allowed, "said": said}
    return Event(kind=kind, subject=subject, key=f"{kind}:{subject}:{after}", facts=facts)


def queue_within_limit(
    *, queue: str, measure: str, have: int, allowed: int, said: str, after: int
) -> Event:
    """The episode that the event with the id `after` began is over."""
    kind = EventKind.QUEUE_WITHIN_LIMIT
    subject = limit_subject(queue, measure, allowed)
    facts = {"queue": queue, "measure": measure, "have": have, "allowed": allowed, "said": said}
    return Event(kind=kind, subject=subject, key=f"{kind}:{subject}:{after}", facts=facts)


def limit_subject(queue: str, measure: str, allowed: int) -> str:
    """What an episode is about: monitors with other limits have episodes of their own."""
    return f"{queue} {measure} over {allowed}"
