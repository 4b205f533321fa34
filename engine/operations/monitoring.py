"""Monitoring queues: what each has, what is allowed, and an event when that is exceeded."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from engine.errors import Invalid
from engine.events import (
    EventKind,
    limit_subject,
    queue_over_limit,
    queue_within_limit,
)
from engine.job import QUEUE_NAME
from engine.operations.instants import milliseconds
from engine.operations.queue_status import counts_json
from engine.schedules.durations import duration, written
from engine.store.events import EventStore, RaisedEvent
from engine.store.run_counts import QueueCounts, RunCounts

Measure = Literal["ready", "wait_ms", "failed"]

_COUNT = re.compile(r"[0-9]{1,9}")


class WrongLimit(Invalid):
    """A text says no queue with what it may hold."""

    message = "{text!r} is no limit; write queues and how many ready runs each may have: {example}"


class NoLimit(Invalid):
    """A queue is named, and nothing that it may have."""

    message = (
        "nothing is to be monitored of {queue}: write {queue}:100, or add --max-wait or "
        "--max-failed"
    )


class WrongWait(Invalid):
    """A text is no length of time."""

    message = "--max-wait: {text}"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a queue may have at most; None is without a limit."""

    queue: str
    ready: int | None = None
    wait: timedelta | None = None
    failed: int | None = None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One limit of a queue, and what it has."""

    queue: str
    measure: Measure
    have: int
    allowed: int

    @property
    def is_breached(self) -> bool:
        """Whether it has more than is allowed."""
        return self.have > self.allowed

    @property
    def text(self) -> str:
        """What it has and what is allowed, for people."""
        if self.measure == "wait_ms":
            waits, allowed = (timedelta(milliseconds=each) for each in (self.have, self.allowed))
            return (
                f"the oldest ready run has waited {written(waits)}, {written(allowed)} is allowed"
            )
        one = self.have == 1
        if self.measure == "failed":
            verb = "has failed" if one else "have failed"
        else:
            verb = "is ready" if one else "are ready"
        return f"{self.have:,} {'run' if one else 'runs'} {verb}, {self.allowed:,} allowed"

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {
            "measure": self.measure,
            "have": self.have,
            "allowed": self.allowed,
            "breached": self.is_breached,
        }


@dataclass(frozen=True, kw_only=True)
class Monitored:
    """A queue, what it has, and each of its limits."""

    queue: str
    counts: QueueCounts
    checked: Sequence[Checked]

    @property
    def breaches(self) -> Sequence[Checked]:
        """The limits that are exceeded."""
        return [each for each in self.checked if each.is_breached]

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {
            "name": self.queue,
            **counts_json(self.counts),
            "breached": bool(self.breaches),
            "limits": [each.as_json() for each in self.checked],
        }


def limits_of(
    texts: Sequence[str], *, max_wait: str | None, max_failed: int | None
) -> Sequence[Limits]:
    """`default:100,financial:10` as limits, with what holds for each queue; raises Invalid."""
    wait = None
    if max_wait is not None:
        try:
            wait = duration(max_wait)
        except ValueError as error:
            raise WrongWait(text=error) from None
    found: dict[str, Limits] = {}
    for text in (part.strip() for each in texts for part in each.split(",")):
        queue, colon, ready = text.partition(":")
        wrong_count = colon and not _COUNT.fullmatch(ready)
        if not QUEUE_NAME.fullmatch(queue) or wrong_count or queue in found:
            raise WrongLimit(text=text, example="default:100,financial:10")
        if not colon and wait is None and max_failed is None:
            raise NoLimit(queue=queue)
        found[queue] = Limits(
            queue=queue, ready=int(ready) if colon else None, wait=wait, failed=max_failed
        )
    return list(found.values())


def monitor(counts: RunCounts, limits: Sequence[Limits]) -> Sequence[Monitored]:
    """Look at each queue once."""
    by_queue = counts.by_queue()
    found = []
    for each in limits:
        have = by_queue.get(each.queue, QueueCounts())
        found.append(Monitored(queue=each.queue, counts=have, checked=[*_checked(each, have)]))
    return found


def tell(events: EventStore, monitored: Sequence[Monitored]) -> Sequence[RaisedEvent]:
    """Raise an event for each limit that was kept until now, and for each that is kept again.

    However often it is called while a limit is exceeded, and by however many, that is one event.
    """
    raised = [_tell(events, checked) for queue in monitored for checked in queue.checked]
    return [event for event in raised if event is not None]


def _checked(limits: Limits, have: QueueCounts) -> Iterator[Checked]:
    wait, allowed_wait = milliseconds(have.oldest_wait), milliseconds(limits.wait)
    measures: tuple[tuple[Measure, int, int | None], ...] = (
        ("ready", have.ready, limits.ready),
        ("wait_ms", wait or 0, allowed_wait),
        ("failed", have.failed, limits.failed),
    )
    for measure, has, allowed in measures:
        if allowed is not None:
            yield Checked(queue=limits.queue, measure=measure, have=has, allowed=allowed)


def _tell(events: EventStore, checked: Checked) -> RaisedEvent | None:
    subject = limit_subject(checked.queue, checked.measure, checked.allowed)
    kinds = (EventKind.QUEUE_OVER_LIMIT, EventKind.QUEUE_WITHIN_LIMIT)
    last = next(iter(events.newest(kinds=kinds, subject=subject, limit=1)), None)
    is_known = last is not None and last.kind is EventKind.QUEUE_OVER_LIMIT
    if checked.is_breached == is_known:
        return None
    make = queue_over_limit if checked.is_breached else queue_within_limit
    return events.raise_once(
        make(
            queue=checked.queue,
            measure=checked.measure,
            have=checked.have,
            allowed=checked.allowed,
            said=checked.text,
            after=last.id if last else 0,
        )
    )
