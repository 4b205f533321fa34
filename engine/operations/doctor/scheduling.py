"""The scheduler is silent, or does not book what schedules.yaml says."""

from collections.abc import Iterator
from datetime import timedelta

from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import Patient
from engine.operations.doctor.wording import counted, listed

_LATE = timedelta(minutes=2)


def _silent(patient: Patient) -> Iterator[Finding]:
    schedules = patient.schedules
    if not schedules:
        return
    if not any(each.kind == "scheduler" for each in patient.processes):
        text = (
            f"no scheduler is alive, and schedules.yaml has {counted(len(schedules), 'schedule')}"
        )
        yield Finding(text=text, next=["engine up", "engine scheduler"])
        return
    marks, now = patient.symptoms.marks(), patient.now()
    unknown = sorted(name for name in schedules if name not in marks or marks[name].is_gone)
    if unknown:
        text = (
            f"the scheduler has not read {listed(unknown)}: schedules.yaml was edited after it "
            "started, or it has another ENGINE_HOME"
        )
        yield Finding(text=text, next=["engine queue restart", "engine schedules check"])
    late = sorted(
        name
        for name, schedule in schedules.items()
        if name not in unknown
        and schedule.trigger.next_after(marks[name].booked_until) < now - _LATE
    )
    if late:
        text = f"a scheduler is alive, and has not booked what is due of {listed(late)}"
        yield Finding(text=text, next=["engine schedules next", "engine queue restart"])


SCHEDULER_SILENT = Cause(
    name="scheduler_silent",
    question=Question.NOT_PROCESSING,
    fine="what schedules.yaml says is booked when it is due",
    look=_silent,
)
