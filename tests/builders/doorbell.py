"""A doorbell that only remembers; it can be out of order, and refuse a queue."""

from engine.huey_app.doorbell import Doorbell, QueueRefused, QueueUnreachable


class FakeDoorbell(Doorbell):
    """Holds its messages in a list; with `broken`, nothing answers, and never what is `refused`."""

    def __init__(self) -> None:
        super().__init__("fake://")
        self.messages: list[tuple[str, int]] = []
        self.broken = False
        self.refused = ""

    @property
    def can_wait(self) -> bool:
        """There is nobody to wait for."""
        return False

    def ring(self, queue: str, run_id: int) -> None:
        """Remember the message."""
        self._require_answer()
        self.messages.append((queue, run_id))

    def waiting(self, queue: str) -> frozenset[int]:
        """The messages of one queue."""
        self._require_answer()
        if queue == self.refused:
            raise QueueRefused(url="fake://", error="no queue of ours")
        return frozenset(run_id for name, run_id in self.messages if name == queue)

    def size(self, queue: str) -> int:
        """How many messages one queue has."""
        return len(self.waiting(queue))

    def _require_answer(self) -> None:
        if self.broken:
            self.outage.lasts("out of order")
            raise QueueUnreachable(url="fake://", error="out of order")
        self.outage.ends()
