"""Workers: none is alive, none would be started again, they serve other queues, they are old."""

from collections.abc import Iterator

from engine.execution.identity import code_version
from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import CannotBeAsked, Patient
from engine.operations.doctor.wording import counted, listed

_NOBODY = "none"


def _none_alive(patient: Patient) -> Iterator[Finding]:
    if not patient.workers:
        ready = sum(each.ready for each in patient.waiting.values())
        could = f", and {counted(ready, 'run')} could start now" if ready else ""
        text = f"no worker is alive{could}"
        yield Finding(text=text, next=["engine up", "engine queue work"])


def _no_manager(patient: Patient) -> Iterator[Finding]:
    if not patient.workers:
        raise CannotBeAsked(what="no worker is alive")
    managers = {each.manager for each in patient.workers}
    if managers == {None}:
        raise CannotBeAsked(what="the workers do not say who started them")
    if managers <= {None, _NOBODY}:
        pids = listed(f"{each.host} pid {each.pid}" for each in patient.workers)
        text = (
            "no worker was started by a process manager (supervisor, systemd, a container, "
            f"engine up): one that ends is not started again ({pids})"
        )
        yield Finding(text=text, next=["engine up", "systemctl status 'engine*'"])


def _other_queues(patient: Patient) -> Iterator[Finding]:
    if not patient.workers:
        raise CannotBeAsked(what="no worker is alive")
    served = {queue for each in patient.workers for queue in each.queues}
    for queue, waiting in patient.waiting.items():
        if queue not in served:
            text = (
                f"{counted(waiting.ready, 'run')} in the queue {queue}, which no worker serves; "
                f"they serve {listed(sorted(served))}"
            )
            yield Finding(text=text, next=[f"engine queue work --queue={queue}"])


def _old_code(patient: Patient) -> Iterator[Finding]:
    here = code_version(patient.settings.home)
    others = [each for each in patient.processes if each.version not in {None, here}]
    if others:
        ids = listed(f"{each.kind} {each.id}" for each in others)
        versions = listed(sorted({str(each.version) for each in others}))
        text = f"{ids}: other code ({versions}) than there is here ({here})"
        yield Finding(text=text, next=["engine queue restart --wait", "engine queue workers"])


NO_WORKER = Cause(
    name="no_worker",
    question=Question.NOT_PROCESSING,
    fine="a worker is alive",
    look=_none_alive,
)
NO_MANAGER = Cause(
    name="no_process_manager",
    question=Question.NOT_PROCESSING,
    fine="a process manager starts workers again",
    look=_no_manager,
)
OTHER_QUEUES = Cause(
    name="other_queues",
    question=Question.NOT_PROCESSING,
    fine="every queue in which runs wait is served",
    look=_other_queues,
)
OLD_CODE = Cause(
    name="old_code",
    question=Question.NOT_PROCESSING,
    fine="workers and schedulers run the code that is here",
    look=_old_code,
)
