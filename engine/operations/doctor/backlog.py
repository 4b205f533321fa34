"""More waits than the workers get through."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from math import ceil

from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import CannotBeAsked, Patient
from engine.operations.doctor.wording import counted, lasting

_LONG = timedelta(minutes=5)
# Of runs whose like nobody has timed yet, so many for each thread are many.
_MANY = 100


def _too_long(patient: Patient) -> Iterator[Finding]:
    if not patient.workers:
        raise CannotBeAsked(what="no worker is alive")
    threads: dict[str, int] = defaultdict(int)
    for worker in patient.workers:
        for queue in worker.queues:
            threads[queue] += worker.threads
    means = _mean_durations(patient)
    paused = {pause.queue for pause in patient.paused}
    for queue, waiting in patient.waiting.items():
        hands, ready = threads[queue], waiting.ready
        mean = means.get(queue)
        # Other causes say so.
        if not hands or queue in paused:
            continue
        needed = (mean or timedelta(0)) * ready / hands
        if needed > _LONG or (mean is None and ready > _MANY * hands):
            per_run = f" at {lasting(mean)} a run: {lasting(needed)} of work" if mean else ""
            waited = lasting(waiting.oldest_wait or timedelta(0))
            text = (
                f"{counted(ready, 'run')} in the queue {queue} for "
                f"{counted(hands, 'thread')}{per_run}; the first has waited {waited}"
            )
            more = max(ceil(needed / _LONG) * hands - hands, hands)
            steps = [f"engine queue work --queue={queue} --workers={min(more, 16)}"]
            yield Finding(text=text, next=[*steps, "engine queue status"])


def _mean_durations(patient: Patient) -> dict[str, timedelta]:
    durations: dict[str, list[timedelta]] = defaultdict(list)
    for each in patient.ended:
        durations[each.queue].append(each.duration)
    return {queue: sum(each, timedelta(0)) / len(each) for queue, each in durations.items()}


BACKLOG = Cause(
    name="backlog",
    question=Question.SLOW,
    fine="the workers get through what waits",
    look=_too_long,
)
