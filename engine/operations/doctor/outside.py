"""What jobs wait for outside: their sources, the ledger, the queue, the storage of reports."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from engine.artifact_files.faults import FileMissing, StorageRefused, StorageUnreachable
from engine.errors import EngineError
from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import Patient, quickest
from engine.operations.doctor.probes import probe_of
from engine.operations.doctor.wording import lasting

# A reading of a source begins with a connection and a question.
_SLOW_SOURCE = 1.0
# Each attempt asks ledger and queue some ten times; a report is stored once.
_SLOW_ANSWER = 0.1
_SLOW_STORAGE = 1.0


def _sources(patient: Patient) -> Iterator[Finding]:
    for name, source in patient.sources.items():
        url = patient.settings.source_urls[name]
        try:
            took = quickest(source.require_reachable, enough=_SLOW_SOURCE)
        except EngineError as error:
            yield Finding(text=str(error), next=[probe_of(url)])
            continue
        if took > _SLOW_SOURCE:
            text = f"the source {name} takes {_seconds(took)} to answer before it is asked anything"
            yield Finding(text=text, next=[probe_of(url), "engine runs list --job reconcile"])


def _calls(patient: Patient) -> Iterator[Finding]:
    unasked: EngineError | None = None
    for what, url, ask, slow in _answers(patient):
        try:
            took = quickest(ask, enough=slow)
        except (StorageUnreachable, StorageRefused) as error:
            yield Finding(text=str(error), next=[probe_of(url)])
            continue
        except EngineError as error:
            # Another cause says of ledger and queue that they are away.
            unasked = error
            continue
        if took > slow:
            text = f"{what} takes {_seconds(took)} for an answer"
            yield Finding(text=text, next=[probe_of(url)])
    if unasked is not None:
        raise unasked


def _answers(patient: Patient) -> Iterator[tuple[str, str, Callable[[], object], float]]:
    settings = patient.settings
    yield "the run ledger", settings.database, patient.now, _SLOW_ANSWER
    if patient.has_queue:
        queue = settings.queue
        yield "the queue", queue, lambda: patient.doorbell.size("default"), _SLOW_ANSWER
    yield "the storage of reports", settings.storage, lambda: _ask_storage(patient), _SLOW_STORAGE


def _ask_storage(patient: Patient) -> None:
    try:
        patient.storage.open("asked-by-the-doctor").close()
    except FileMissing:
        return


def _seconds(seconds: float) -> str:
    return lasting(timedelta(seconds=seconds))


SLOW_SOURCES = Cause(
    name="slow_sources",
    question=Question.SLOW,
    fine="every source answers, and soon",
    look=_sources,
)
SLOW_CALLS = Cause(
    name="slow_calls",
    question=Question.SLOW,
    fine="ledger, queue and storage answer soon",
    look=_calls,
)
