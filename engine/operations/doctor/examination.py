"""The examination: every cause in turn, the first ones those that hide others."""

from collections.abc import Iterator, Sequence

from engine.errors import EngineError
from engine.operations.doctor.backlog import BACKLOG
from engine.operations.doctor.cause import Cause, Diagnosis, Finding, Verdict
from engine.operations.doctor.clocks import CLOCK_SKEW
from engine.operations.doctor.configuration import JOBS, SCHEDULES_FILE, SETTINGS
from engine.operations.doctor.disks import DISK_FULL
from engine.operations.doctor.failures import FAILED_UNTOUCHED, FAILING_REPEATEDLY, IN_REVIEW, LOST
from engine.operations.doctor.ledgers import LEDGER_AWAY, LEDGER_NOT_UPGRADED
from engine.operations.doctor.limits import MEMORY, PAYLOADS, TIME_LIMITS
from engine.operations.doctor.outside import SLOW_CALLS, SLOW_SOURCES
from engine.operations.doctor.patient import Patient
from engine.operations.doctor.queues import MESSAGES_UNTAKEN, QUEUE_AWAY, QUEUE_PAUSED
from engine.operations.doctor.scheduling import SCHEDULER_SILENT
from engine.operations.doctor.secrets import KEYS_MISSING, SECRETS_MISSING
from engine.operations.doctor.workers import NO_MANAGER, NO_WORKER, OLD_CODE, OTHER_QUEUES
from engine.settings import InvalidSettings

CAUSES: Sequence[Cause] = (
    *(SETTINGS, LEDGER_AWAY, LEDGER_NOT_UPGRADED, QUEUE_AWAY, DISK_FULL, CLOCK_SKEW),
    *(JOBS, SCHEDULES_FILE, KEYS_MISSING, SECRETS_MISSING),
    *(NO_WORKER, NO_MANAGER, OTHER_QUEUES, QUEUE_PAUSED, MESSAGES_UNTAKEN),
    *(SCHEDULER_SILENT, OLD_CODE, LOST, FAILING_REPEATEDLY, FAILED_UNTOUCHED, IN_REVIEW),
    *(SLOW_SOURCES, SLOW_CALLS, BACKLOG, TIME_LIMITS, PAYLOADS, MEMORY),
)


def examine(patient: Patient, causes: Sequence[Cause] = CAUSES) -> Iterator[Diagnosis]:
    """Look for each cause, one after the other; what is away hides none of the rest."""
    for cause in causes:
        yield diagnose(patient, cause)


def diagnose(patient: Patient, cause: Cause) -> Diagnosis:
    """Look for one cause."""
    findings: list[Finding] = []
    why = None
    try:
        # One by one: what was found before something could not be asked counts.
        for finding in cause.look(patient):
            findings.append(finding)  # noqa: PERF402
    except InvalidSettings:
        why = "the settings are wrong"
    except (EngineError, OSError) as error:
        why = str(error).splitlines()[0]
    missed = Verdict.FINE if why is None else Verdict.UNCHECKED
    verdict = Verdict.FOUND if findings else missed
    return Diagnosis(cause=cause, verdict=verdict, findings=findings, why=why)
