"""The queue is away or paused, or nobody takes what is in it."""

import time
from collections.abc import Iterator

from engine.errors import Unreachable
from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import Patient
from engine.operations.doctor.probes import probe_of
from engine.operations.doctor.wording import counted, lasting, listed
from engine.store.run_counts import QueueCounts
from engine.store.workers import Process

# A worker that has nothing to do looks at its queues twice a second.
LOOK_AGAIN_SECONDS = 3.0


def _away(patient: Patient) -> Iterator[Finding]:
    if not patient.has_queue:
        return
    try:
        patient.doorbell.size("default")
    except Unreachable as error:
        yield Finding(text=str(error), next=[probe_of(patient.settings.queue)])


def _paused(patient: Patient) -> Iterator[Finding]:
    now = patient.now()
    for pause in patient.paused:
        since = lasting(now - pause.paused_at)
        why = f" ({pause.reason})" if pause.reason else ""
        ready = counted(patient.counts.get(pause.queue, QueueCounts()).ready, "run")
        text = f"{pause.actor} paused the queue {pause.queue} {since} ago{why}; {ready} could start"
        yield Finding(text=text, next=[f"engine queue resume {pause.queue}"])


def _untaken(patient: Patient) -> Iterator[Finding]:
    if not patient.has_queue:
        return
    paused = {pause.queue for pause in patient.paused}
    served = {queue for worker in patient.workers for queue in worker.queues}
    lying = {}
    for queue in sorted(served - paused):
        messages = patient.doorbell.waiting(queue)
        if messages and _idle(patient, queue):
            lying[queue] = messages
    if not lying:
        return
    time.sleep(LOOK_AGAIN_SECONDS)
    for queue, messages in lying.items():
        idle = _idle(patient, queue)
        if idle and messages <= patient.doorbell.waiting(queue):
            hosts = listed(sorted({worker.host for worker in idle}))
            text = (
                f"{counted(len(messages), 'message')} in {patient.doorbell.shown_url} for the "
                f"queue {queue}, and idle workers on {hosts} do not take any: is their "
                "ENGINE_QUEUE_URL another one?"
            )
            yield Finding(text=text, next=["engine queue workers", "env | grep ENGINE_QUEUE_URL"])


def _idle(patient: Patient, queue: str) -> list[Process]:
    """The workers of a queue that could carry out more runs than they do now."""
    running = patient.symptoms.running()
    return [
        worker
        for worker in patient.workers
        if queue in worker.queues and running.get(worker.id, 0) < worker.threads
    ]


QUEUE_AWAY = Cause(
    name="queue_away", question=Question.NOT_PROCESSING, fine="the queue answers", look=_away
)
QUEUE_PAUSED = Cause(
    name="queue_paused", question=Question.NOT_PROCESSING, fine="no queue is paused", look=_paused
)
MESSAGES_UNTAKEN = Cause(
    name="messages_untaken",
    question=Question.NOT_PROCESSING,
    fine="idle workers take what is in the queue",
    look=_untaken,
)
