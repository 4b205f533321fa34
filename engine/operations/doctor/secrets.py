"""What was sealed cannot be opened, or a secret that is referred to is not there."""

from collections.abc import Iterator

from engine.errors import Invalid
from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import CannotBeAsked, Patient
from engine.operations.secrets import key_uses
from engine.sealing import InvalidKey
from engine.store.sealed_values import SealedValueStore


def _keys(patient: Patient) -> Iterator[Finding]:
    try:
        keys = patient.settings.known_keys
    except InvalidKey as error:
        yield Finding(text=str(error), next=[f"ls -l {patient.settings.key_file.path}"])
        return
    counts = SealedValueStore(patient.ledger).counts()
    for use in key_uses(keys, counts):
        if use.place == "missing":
            sealed = ", ".join(f"{count} {kind}" for kind, count in use.sealed.items() if count)
            where = "ENGINE_SECRET_KEY" if patient.settings.secret_key else "var/secret.key"
            text = (
                f"{sealed} are sealed under the key {use.id}, which is not here: without it their "
                f"runs fail; put it behind the new one in {where}, with a comma between them"
            )
            yield Finding(text=text, next=["engine secrets list", "engine secrets rotate"])


def _secrets(patient: Patient) -> Iterator[Finding]:
    source = patient.settings.secret_source
    try:
        schedules = patient.schedules
    except Invalid as error:
        raise CannotBeAsked(what="schedules.yaml cannot be read") from error
    for name, schedule in schedules.items():
        for said in source.missing(schedule.params):
            text = f"the schedule {name}: {said}, as far as can be seen from here"
            yield Finding(text=text, next=["engine schedules check"])


KEYS_MISSING = Cause(
    name="keys_missing",
    question=Question.NOT_PROCESSING,
    fine="whatever is sealed can be opened",
    look=_keys,
)
SECRETS_MISSING = Cause(
    name="secrets_missing",
    question=Question.NOT_PROCESSING,
    fine="every secret that the schedules refer to is there",
    look=_secrets,
)
