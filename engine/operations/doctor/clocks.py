"""Clocks that tell different times: this machine's, the ledger's, the queue's."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from engine.errors import EngineError
from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import Patient, apart
from engine.operations.doctor.wording import lasting

_APART = timedelta(seconds=2)


def _skew(patient: Patient) -> Iterator[Finding]:
    unasked: EngineError | None = None
    for whose, ask in _clocks(patient):
        try:
            ahead = apart(patient.clock, ask)
        except EngineError as error:
            unasked = error
            continue
        if abs(ahead) > _APART:
            where = "ahead of" if ahead > timedelta(0) else "behind"
            text = f"the {whose}'s clock is {lasting(abs(ahead))} {where} this machine's"
            yield Finding(text=text, next=["timedatectl"])
    if unasked is not None:
        raise unasked


def _clocks(patient: Patient) -> Iterator[tuple[str, Callable[[], datetime | None]]]:
    yield "ledger", patient.now
    if patient.has_queue:
        yield "queue", lambda: patient.doorbell.server_clock()


CLOCK_SKEW = Cause(
    name="clock_skew",
    question=Question.NOT_PROCESSING,
    fine="the clocks of ledger, queue and this machine agree",
    look=_skew,
)
