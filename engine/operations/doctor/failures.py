"""Runs that fail again and again, that nobody looks after, or that nobody took up."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from engine.events import UNTOUCHED_FOR
from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import Patient
from engine.operations.doctor.wording import counted, lasting
from engine.store.run_counts import RunCounts
from engine.store.symptoms import Failing

_WITHIN = timedelta(days=1)
# So many failures that are alike are no accident.
_ALIKE = 3
# A dead worker's run is taken up within 20 s.
_LOST_FOR = timedelta(seconds=30)
_SHOWN = 5
_MESSAGE = 200


def _repeatedly(patient: Patient) -> Iterator[Finding]:
    alike: dict[tuple[str, str], list[Failing]] = defaultdict(list)
    for each in patient.symptoms.failing(within=_WITHIN):
        alike[each.job, each.fingerprint].append(each)
    groups = sorted(alike.values(), key=_attempts, reverse=True)
    for group in groups[:_SHOWN]:
        newest, attempts = group[0], _attempts(group)
        if attempts >= _ALIKE:
            text = (
                f"{newest.job} failed {attempts} times in the same way, in "
                f"{counted(len(group), 'run')}: {newest.error_type}: "
                f"{newest.error_message[:_MESSAGE]}"
            )
            reference = newest.reference
            steps = [f"engine runs show {reference}", f"engine runs logs {reference}"]
            yield Finding(text=text, next=steps)


def _untouched(patient: Patient) -> Iterator[Finding]:
    left = RunCounts(patient.ledger).untouched(since=UNTOUCHED_FOR)
    if left is not None:
        text = (
            f"{counted(left.count, 'run')} failed more than {lasting(UNTOUCHED_FOR)} ago, and "
            f"nobody has retried, discarded or reviewed them; the first was {left.reference}"
        )
        yield Finding(text=text, next=["engine queue failed", "engine queue retry --help"])


def _in_review(patient: Patient) -> Iterator[Finding]:
    count = sum(each.in_review for each in patient.counts.values())
    if count:
        text = f"{counted(count, 'failed run')} of which a person must say what becomes of it"
        yield Finding(text=text, next=["engine queue failed", "engine runs review --help"])


def _lost(patient: Patient) -> Iterator[Finding]:
    count = patient.symptoms.lost(since=_LOST_FOR)
    if count:
        text = (
            f"{counted(count, 'run')} of workers that are gone, taken up by nobody for "
            f"{lasting(_LOST_FOR)}: any worker or scheduler would"
        )
        yield Finding(text=text, next=["engine up", "engine runs list --state running"])


def _attempts(group: list[Failing]) -> int:
    return sum(each.attempts for each in group)


FAILING_REPEATEDLY = Cause(
    name="failing_repeatedly",
    question=Question.NOT_PROCESSING,
    fine="no run fails again and again in the same way",
    look=_repeatedly,
)
FAILED_UNTOUCHED = Cause(
    name="failed_untouched",
    question=Question.NOT_PROCESSING,
    fine="no failed run is left untouched",
    look=_untouched,
)
IN_REVIEW = Cause(
    name="in_review",
    question=Question.NOT_PROCESSING,
    fine="no run waits for a person's decision",
    look=_in_review,
)
LOST = Cause(
    name="lost",
    question=Question.NOT_PROCESSING,
    fine="the runs of dead workers are taken up",
    look=_lost,
)
