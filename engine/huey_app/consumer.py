"""Our Huey consumer: its threads take runs; TERM, INT and HUP all drain."""

import logging
import signal
import time
from typing import Any, cast

import huey.consumer

from engine.errors import EngineError, Unreachable
from engine.huey_app.doorbell import QueueUnreachable, Ring

logger = logging.getLogger("engine.worker")

# A server that answers and refuses is asked again after so many seconds.
_REFUSED_PAUSE = 1.0


class NoScheduler(huey.consumer.BaseProcess):  # type: ignore[misc]
    """Stands where Huey's scheduler would: the run ledger knows what is due."""

    process_name = "NoScheduler"

    def __init__(self, huey: Any, stop_flag: Any, interval: float, periodic: bool) -> None:
        super().__init__(huey, stop_flag)

    def loop(self, now: object = None) -> None:
        """Wait for the end."""
        self.stop_flag.wait()


class Taker(huey.consumer.Worker):  # type: ignore[misc]
    """A thread that takes runs and carries them out; it waits for what is away, and is patient.

    Huey's own shows a stack trace each time.
    """

    def loop(self, now: object = None) -> None:
        """Take a run, if there is one, and see it through."""
        if not self.huey.hands.is_hungry:
            self.stop_flag.wait(self.default_delay)
            return
        try:
            ring = self.huey.dequeue()
        except QueueUnreachable:
            # The doorbell has said so.
            self.stop_flag.wait(self.huey.doorbell.outage.pause or _REFUSED_PAUSE)
            return
        if ring is None:
            if not self.huey.can_wait:
                self.sleep()
            return
        self.delay = self.default_delay
        self._carry_out(ring)
        self.task_count += 1
        if self.max_tasks and self.task_count >= self.max_tasks:
            raise huey.consumer.WorkerRecycle

    def _carry_out(self, ring: Ring) -> None:
        try:
            self.huey.execute(ring)
        except Unreachable:
            # The ledger has said so.
            self.stop_flag.wait(self.huey.ledger_outage.pause or _REFUSED_PAUSE)
        except EngineError as error:
            facts = {"run": ring.run_id, "error": str(error)}
            logger.warning("a run was not carried out", extra=facts)
        except Exception:
            logger.exception("a run was not carried out", extra={"run": ring.run_id})


class Consumer(huey.consumer.Consumer):  # type: ignore[misc]
    """A consumer whose first signal drains and whose second one ends it at once."""

    worker_class = Taker
    scheduler_class = NoScheduler

    def __init__(self, huey: Any, **options: Any) -> None:
        super().__init__(huey, **options)
        # Huey would start itself anew on HUP, past `close`; a terminal that closes means the end.
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._signal_actions[signum] = (False, True)

    def listen(self) -> None:
        """Have signals drain from now on; one that comes before `run` ends it at its first look."""
        self._set_signal_handlers()

    def start(self) -> None:
        """Start the worker's own threads, then Huey's."""
        # Before any run is taken, not after as Huey does: a signal in between would kill it.
        self.listen()
        self.huey.hands.start(threads=self.workers)
        super().start()

    def loop(self, health_check_ts: float | None = None) -> float | None:
        """Look at signals and at the worker's own wish to end."""
        hands = self.huey.hands
        if not hands.wants_to_end or self._signum is not None:
            return cast("float | None", super().loop(health_check_ts))
        self.stop_flag.set()
        if hands.is_patient and any(thread.is_alive() for _, thread in self.worker_threads):
            # Nobody's health is checked any more: no thread is to be started in place of another.
            time.sleep(self._stop_flag_timeout)
            return health_check_ts
        self.stop(graceful=True)
        raise huey.consumer.ConsumerStopped

    def stop(self, graceful: bool = False) -> None:
        """Take no further run; give those under way their grace time, then hand them back."""
        self.stop_flag.set()
        self.huey.hands.drain()
        super().stop(graceful=graceful)

    def run(self) -> None:
        """Work until a signal or a limit, then leave nothing behind."""
        try:
            super().run()
        finally:
            self.huey.hands.close()
        # From here on a signal ends the process at once: nothing is left to be drained.
        for signum in self._signal_actions:
            signal.signal(signum, signal.SIG_DFL)
        if self._signum is None:
            self.huey.hands.come_back()
