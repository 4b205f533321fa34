"""The run ledger is away, or of another version than the code."""

from collections.abc import Iterator

from engine.errors import Unreachable
from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import CannotBeAsked, Patient
from engine.operations.doctor.probes import probe_of
from engine.store.database import REVISION


def _away(patient: Patient) -> Iterator[Finding]:
    try:
        _ = patient.revision
    except Unreachable as error:
        probe = probe_of(patient.settings.database)
        yield Finding(text=str(error), next=[probe, "engine database status"])


def _not_upgraded(patient: Patient) -> Iterator[Finding]:
    try:
        found = patient.revision
    except Unreachable as error:
        raise CannotBeAsked(what="the run ledger is away") from error
    shown = patient.database.shown_url
    if found is None and patient.database.upgrades_itself:
        text = f"there is no run ledger {shown} yet: nothing was ever booked here"
        yield Finding(text=text, next=["engine up"])
    elif found is None or found < REVISION:
        told = "has no tables" if found is None else f"is at revision {found}"
        text = f"the run ledger {shown} {told}, and this version needs revision {REVISION}"
        yield Finding(text=text, next=["engine database upgrade"])
    elif found > REVISION:
        text = f"the run ledger {shown} is at revision {found}: this version is older than it"
        yield Finding(text=text, next=["git pull", "make setup", "engine database status"])


LEDGER_AWAY = Cause(
    name="ledger_away",
    question=Question.NOT_PROCESSING,
    fine="the run ledger answers",
    look=_away,
)
LEDGER_NOT_UPGRADED = Cause(
    name="ledger_not_upgraded",
    question=Question.NOT_PROCESSING,
    fine="the run ledger's tables are of this version",
    look=_not_upgraded,
)
