"""Our Huey consumer: its threads take runs; TERM, INT and HUP all drain."""

import signal
from typing import Any

import huey.consumer


class NoScheduler(huey.consumer.BaseProcess):  # type: ignore[misc]
    """Stands where Huey's scheduler would: the run ledger knows what is due."""

    process_name = "NoScheduler"

    def __init__(self, huey: Any, stop_flag: Any, interval: float, periodic: bool) -> None:
        super().__init__(huey, stop_flag)

    def loop(self, now: object = None) -> None:
        """Wait for the end."""
        self.stop_flag.wait()


class Consumer(huey.consumer.Consumer):  # type: ignore[misc]
    """A consumer whose first signal drains and whose second one ends it at once."""

    scheduler_class = NoScheduler

    def __init__(self, huey: Any, **options: Any) -> None:
        super().__init__(huey, **options)
        # Huey would start itself anew on HUP, past `close`; a terminal that closes means the end.
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._signal_actions[signum] = (False, True)

    def start(self) -> None:
        """Start the worker's own threads, then Huey's."""
        # Before any run is taken, not after as Huey does: a signal in between would kill it.
        self._set_signal_handlers()
        self.huey.hands.start(threads=self.workers)
        super().start()

    def stop(self, graceful: bool = False) -> None:
        """Take no further run; give those under way their grace time, then hand them back."""
        self.stop_flag.set()
        self.huey.hands.drain()
        super().stop(graceful=graceful)

    def run(self) -> None:
        """Work until a signal, then leave nothing behind."""
        try:
            super().run()
        finally:
            self.huey.hands.close()
