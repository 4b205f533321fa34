"""A doorbell that only remembers, and can be out of order."""

from engine.huey_app.doorbell import Doorbell, QueueUnreachable


class FakeDoorbell(Doorbell):
    """Holds its messages in a list; with `broken`, nothing answers."""

    def __init__(self) -> None:
        super().__init__("fake://")
        self.messages: list[tuple[str, int]] = []
        self.broken = False

    def ring(self, queue: str, run_id: int) -> None:
        """Remember the message."""
        self._require_answer()
        self.messages.append((queue, run_id))

    def waiting(self, queue: str) -> frozenset[int]:
        """The messages of one queue."""
        self._require_answer()
        return frozenset(run_id for name, run_id in self.messages if name == queue)

    def _require_answer(self) -> None:
        if self.broken:
            raise QueueUnreachable(url="fake://", error="out of order")
