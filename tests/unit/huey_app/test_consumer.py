"""The consumer's threads: they are patient with what is away, and never show a stack trace."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from huey.consumer import ConsumerStopped

from engine.errors import Invalid
from engine.huey_app.consumer import Taker
from engine.huey_app.doorbell import QueueRefused, Ring
from engine.huey_app.huey import EngineHuey
from engine.outage import Outage
from engine.store.database import LedgerUnreachable
from tests.builders.doorbell import FakeDoorbell


class NotToBeDone(Invalid):
    """A run's own fault."""

    message = "it cannot be done"


class Bell(FakeDoorbell):
    """One from which messages can be taken."""

    def take(self, queues: object) -> Ring | None:
        """The first message."""
        self._require_answer()
        if self.refused:
            raise QueueRefused(url="fake://", error="read-only")
        if not self.messages:
            return None
        queue, run_id = self.messages.pop(0)
        return Ring(run_id, queue)


class WaitingBell(Bell):
    """One that waits for a message, and then gets the one that `comes`."""

    can_wait = True
    comes: Ring | None = None

    def await_ring(self, queues: object) -> Ring | None:
        """The message."""
        return self.comes


@dataclass
class Hands:
    """Remember what they carried out, unless they raise."""

    grace_seconds: float = 1.0
    done: list[int] = field(default_factory=list)
    raises: Exception | None = None
    is_hungry: bool = True
    wants_to_end: bool = False
    is_patient: bool = False
    came_back: bool = False

    def start(self, *, threads: int) -> None:
        """Nothing to start."""

    def carry_out(self, run_id: int) -> None:
        """Do it."""
        if self.raises:
            raise self.raises
        self.done.append(run_id)

    def drain(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing was opened."""

    def come_back(self) -> None:
        """Remember it."""
        self.came_back = True


class Stop(threading.Event):
    """Remembers how long it was waited for, and lets nobody wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Not at all."""
        self.waits.append(timeout or 0)
        return False


class StorelessHuey(EngineHuey):
    """One whose doorbell has no storages."""

    def create_storage(self) -> None:
        """None."""


@pytest.fixture
def bell() -> Bell:
    """A doorbell without messages."""
    return Bell()


@pytest.fixture
def hands() -> Hands:
    """Hands that have done nothing."""
    return Hands()


@pytest.fixture
def taker(bell: Bell, hands: Hands) -> Taker:
    """One thread's work, to be called turn by turn."""
    huey = StorelessHuey(bell, ["default"], hands, Outage("the run ledger"))
    return Taker(huey, Stop(), default_delay=0.1, max_delay=0.5, backoff=1.15)


def test_a_run_is_taken_and_carried_out(taker: Taker, bell: Bell, hands: Hands) -> None:
    bell.ring("default", 7)
    taker.loop()
    assert hands.done == [7]
    assert taker.stop_flag.waits == []


def test_an_empty_queue_is_asked_again_after_a_while(taker: Taker) -> None:
    for _ in range(20):
        taker.loop()
    assert taker.stop_flag.waits[0] == pytest.approx(0.1)
    assert taker.stop_flag.waits[-1] == pytest.approx(0.5)


def test_a_queue_that_was_waited_for_is_asked_again_at_once(hands: Hands) -> None:
    bell = WaitingBell()
    huey = StorelessHuey(bell, ["default"], hands, Outage("the run ledger"))
    taker = Taker(huey, Stop(), default_delay=0.1, max_delay=0.5, backoff=1.15)
    taker.loop()
    bell.comes = Ring(7, "default")
    taker.loop()
    assert hands.done == [7]
    assert taker.stop_flag.waits == []


def test_a_queue_that_is_away_is_waited_for_and_said_once(
    taker: Taker, bell: Bell, hands: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bell.ring("default", 7)
    bell.broken = True
    for _ in range(5):
        taker.loop()
    assert len(taker.stop_flag.waits) == 5
    assert all(0 < each <= 5 for each in taker.stop_flag.waits)
    bell.broken = False
    taker.loop()
    assert hands.done == [7]
    assert caplog.messages == ["the queue is away; waiting for it", "the queue is back"]
    assert not any(record.exc_info for record in caplog.records)


def test_a_queue_that_refuses_is_asked_again_each_second(taker: Taker, bell: Bell) -> None:
    bell.refused = "default"
    taker.loop()
    taker.loop()
    assert taker.stop_flag.waits == [1, 1]


@pytest.mark.parametrize("queue_is_away", [False, True])
def test_a_ledger_that_is_away_is_waited_for_and_the_message_put_back(
    taker: Taker, bell: Bell, hands: Hands, queue_is_away: bool
) -> None:
    bell.ring("payouts", 7)
    hands.raises = LedgerUnreachable(url="here", error="gone")
    taker.huey.ledger_outage.lasts("gone")
    if queue_is_away:
        bell.ring = _away  # type: ignore[method-assign]
    taker.loop()
    assert bell.messages == ([] if queue_is_away else [("payouts", 7)])
    assert 0.3 < taker.stop_flag.waits[0] <= 0.5
    hands.raises = None
    bell.messages = [("payouts", 7)]
    taker.loop()
    assert hands.done == [7]
    assert len(taker.stop_flag.waits) == 1


@pytest.mark.parametrize(
    ("error", "has_trace"), [(NotToBeDone(), False), (RuntimeError("a bug"), True)]
)
def test_only_a_bug_shows_a_stack_trace(
    taker: Taker,
    bell: Bell,
    hands: Hands,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    has_trace: bool,
) -> None:
    bell.ring("default", 7)
    hands.raises = error
    taker.loop()
    (record,) = caplog.records
    assert record.getMessage() == "a run was not carried out"
    assert bool(record.exc_info) is has_trace
    assert bell.messages == []


def _away(queue: str, run_id: int) -> None:
    raise QueueRefused(url="fake://", error="read-only")


def test_hueys_own_command_line_shows_our_lines_too(taker: Taker) -> None:
    theirs, ours = logging.getLogger("huey"), logging.getLogger("engine")
    shown: list[str] = []
    handler = Kept(shown.append)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    theirs.addHandler(handler)
    try:
        taker.huey.create_consumer(workers=1)
        taker.huey.create_consumer(workers=1)
        logging.getLogger("engine.worker").warning("a run starts", extra={"run": 7})
    finally:
        theirs.removeHandler(handler)
        ours.removeHandler(handler)
        ours.setLevel(logging.NOTSET)
    assert shown == ["WARNING: a run starts run=7"]


class Kept(logging.Handler):
    """Gives each line to a function."""

    def __init__(self, keep: Callable[[str], object]) -> None:
        super().__init__()
        self._keep = keep

    def emit(self, record: logging.LogRecord) -> None:
        """Give it."""
        self._keep(self.format(record))


def test_a_thread_takes_nothing_while_its_worker_has_enough(
    taker: Taker, bell: Bell, hands: Hands
) -> None:
    bell.ring("default", 7)
    hands.is_hungry = False
    taker.loop()
    assert (hands.done, bell.messages) == ([], [("default", 7)])
    assert taker.stop_flag.waits == [pytest.approx(0.1)]


@pytest.mark.parametrize("patient", [False, True])
def test_a_consumer_ends_when_its_worker_wants_to(
    taker: Taker, hands: Hands, patient: bool
) -> None:
    consumer = taker.huey.create_consumer(workers=1, initial_delay=0.01)
    (taking, _) = consumer.worker_threads[0]
    release = threading.Event()
    entered = threading.Event()

    def hold(now: object = None) -> None:
        entered.set()
        release.wait(10)

    taking.loop = hold
    consumer.scheduler.start()
    consumer.worker_threads[0][1].start()
    assert entered.wait(10)
    hands.wants_to_end, hands.is_patient = True, patient
    if patient:
        assert consumer.loop(1.0) == 1.0
        assert consumer.stop_flag.is_set()
        release.set()
        consumer.worker_threads[0][1].join(10)
    else:
        release.set()
    with pytest.raises(ConsumerStopped):
        consumer.loop(1.0)
