"""Jobs that come close to their limits, or are too large: time, memory, parameters."""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from math import ceil

from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import Patient
from engine.operations.doctor.wording import lasting, sized
from engine.store.symptoms import Ended

_CLOSE = 0.8
# Fewer attempts say little about the next one.
_ENOUGH = 5
_LARGE_PAYLOAD = 64_000
_CLOSE_MEMORY = 0.9
_LARGE_WORKER = 1e9


def _time(patient: Patient) -> Iterator[Finding]:
    for name, ended in _by_job(patient).items():
        limit = patient.usable_jobs[name].time_limit if name in patient.usable_jobs else None
        if limit is None or len(ended) < _ENOUGH:
            continue
        usual = _percentile([each.duration for each in ended], 0.95)
        if usual > limit * _CLOSE:
            text = (
                f"{name} takes up to {lasting(usual)} (95 of 100 attempts), and is stopped at its "
                f"time limit of {lasting(limit)}"
            )
            yield Finding(
                text=text, next=[f"engine runs list --job {shlex.quote(name)}", "engine jobs"]
            )


def _payload(patient: Patient) -> Iterator[Finding]:
    for name, size in sorted(patient.symptoms.payloads().items()):
        if size > _LARGE_PAYLOAD:
            text = (
                f"{name} is given parameters of {sized(size)}, which are read and written at each "
                "step; give it the name of a file, or an id"
            )
            yield Finding(text=text, next=[f"engine runs list --job {shlex.quote(name)}"])


def _memory(patient: Patient) -> Iterator[Finding]:
    for name, ended in _by_job(patient).items():
        limit = patient.usable_jobs[name].memory_limit if name in patient.usable_jobs else None
        peak = max((each.peak_memory_bytes or 0 for each in ended), default=0)
        if limit is not None and peak > limit * _CLOSE_MEMORY:
            text = f"{name} took {sized(peak)} of memory; it is stopped at {sized(limit)}"
            yield Finding(
                text=text, next=[f"engine runs list --job {shlex.quote(name)}", "engine jobs"]
            )
    for worker in patient.workers:
        if (worker.memory_bytes or 0) > _LARGE_WORKER:
            text = (
                f"the worker {worker.id} holds {sized(worker.memory_bytes or 0)} of memory besides "
                "what its runs take"
            )
            yield Finding(text=text, next=["engine queue restart", "engine queue work --help"])


def _by_job(patient: Patient) -> dict[str, list[Ended]]:
    found: dict[str, list[Ended]] = defaultdict(list)
    for each in patient.ended:
        found[each.job].append(each)
    return dict(sorted(found.items()))


def _percentile(durations: Sequence[timedelta], share: float) -> timedelta:
    return sorted(durations)[ceil(share * len(durations)) - 1]


TIME_LIMITS = Cause(
    name="time_limits",
    question=Question.SLOW,
    fine="no job comes close to its time limit",
    look=_time,
)
PAYLOADS = Cause(
    name="payloads",
    question=Question.SLOW,
    fine="no job is given large parameters",
    look=_payload,
)
MEMORY = Cause(
    name="memory",
    question=Question.SLOW,
    fine="jobs and workers have memory to spare",
    look=_memory,
)
