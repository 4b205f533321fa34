"""The doorbell: tells a worker that a run is waiting. What it says is a hint, never the truth.

A message is the JSON object `{"run": <id>}` and nothing else.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from huey.storage import BaseStorage

from engine.errors import Unreachable
from engine.huey_app.backends import Opener, is_away, is_of_a_backend, is_shut, opener_of
from engine.outage import Outage
from engine.redaction.urls import hide_password, without_password

_LARGEST_ID = 2**63 - 1
# Of what all queues have in common, any of them can tell.
_ANY_QUEUE = "default"


class QueueUnreachable(Unreachable):
    """The queue's server or file does not answer."""

    message = "the queue {url} does not answer: {error}"
    until = "the queue is back"


class QueueRefused(QueueUnreachable):
    """The queue's server answers, but will not do this: out of memory, read-only, not ours."""

    message = "the queue {url} refuses: {error}"
    until = "the queue takes it"


class QueueShut(QueueUnreachable):
    """The queue's server answers, and does not let us in."""

    message = "the queue {url} does not let us in: {error}; correct ENGINE_QUEUE_URL"
    until = "ENGINE_QUEUE_URL is right"


@dataclass(frozen=True)
class Ring:
    """A message that was taken: its run, and the queue it lay in."""

    run_id: int
    queue: str


def message_of(run_id: int) -> bytes:
    """The message that rings for a run."""
    return json.dumps({"run": run_id}).encode()


def run_id_in(message: object) -> int | None:
    """The run that a message rings for; None for anything we did not write."""
    if not isinstance(message, bytes | str):
        return None
    try:
        parsed = json.loads(message)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, dict) or list(parsed) != ["run"]:
        return None
    run_id = parsed["run"]
    return run_id if type(run_id) is int and 0 < run_id <= _LARGEST_ID else None


class Doorbell:
    """Every named queue at one URL. Threads may share it; a fork may not.

    While the server is away it is asked once after each pause, by whoever comes first; all others
    get QueueUnreachable at once.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._storages: dict[str, BaseStorage] = {}
        self._opening = threading.Lock()
        self._counting = threading.Lock()
        self.outage = Outage("the queue", self.shown_url)
        self.foreign_messages = 0

    @property
    def shown_url(self) -> str:
        """The URL as it may be printed."""
        return without_password(self._url)

    def require_client(self) -> None:
        """Raises Invalid when the client is missing or cannot read the URL; asks nobody."""
        _ = self._open

    def ring(self, queue: str, run_id: int) -> None:
        """Say that the run waits in `queue`."""
        with self._asked():
            self.storage(queue).enqueue(message_of(run_id))

    def take(self, queues: Sequence[str]) -> Ring | None:
        """The first run that waits, in the order of `queues`; None if none does.

        A bad or foreign message is counted and passed over, and so is a queue that is refused
        while another one has a run.
        """
        refused: QueueRefused | None = None
        for queue in queues:
            try:
                run_id = self._take_from(queue)
            except QueueRefused as error:
                refused = refused or error
                continue
            if run_id is not None:
                return Ring(run_id, queue)
        if refused is not None:
            raise refused
        return None

    @property
    def can_wait(self) -> bool:
        """Whether `await_ring` waits, so that nobody else has to; asks nobody."""
        return hasattr(self.storage(_ANY_QUEUE), "await_message")

    def await_ring(self, queues: Sequence[str]) -> Ring | None:
        """The next run that comes to any of these queues, at once; None if none does for a while.

        As `take` where the server cannot be waited for.
        """
        if not self.can_wait:
            return self.take(queues)
        with self._asked():
            storages = {self.storage(queue).queue_key: queue for queue in queues}
            taken = self.storage(queues[0]).await_message(list(storages))
        if taken is None:
            return None
        key, message = taken
        run_id = run_id_in(message)
        if run_id is None:
            with self._counting:
                self.foreign_messages += 1
            return None
        return Ring(run_id, storages[key])

    def waiting(self, queue: str) -> frozenset[int]:
        """The runs whose messages are in the queue now."""
        with self._asked():
            messages = self.storage(queue).enqueued_items()
        return frozenset(filter(None, map(run_id_in, messages)))

    def size(self, queue: str) -> int:
        """How many messages are in the queue now."""
        with self._asked():
            return int(self.storage(queue).queue_size())

    def server_clock(self) -> datetime | None:
        """The present instant by the queue's server; None if it has no clock of its own."""
        with self._asked():
            ask = getattr(self.storage(_ANY_QUEUE), "server_clock", None)
            return None if ask is None else ask()

    def storage(self, queue: str) -> BaseStorage:
        """The Huey storage of one queue."""
        with self._explained(), self._opening:
            if queue not in self._storages:
                self._storages[queue] = self._open(queue)
            return self._storages[queue]

    def close(self) -> None:
        """Let go of every connection."""
        with self._opening:
            for storage in self._storages.values():
                storage.close()
            self._storages.clear()

    @cached_property
    def _open(self) -> Opener:
        return opener_of(self._url)

    def _take_from(self, queue: str) -> int | None:
        with self._asked():
            while (message := self.storage(queue).dequeue()) is not None:
                run_id = run_id_in(message)
                if run_id is not None:
                    return run_id
                with self._counting:
                    self.foreign_messages += 1
        return None

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """One use of the queue, which says whether the server is away."""
        known = self.outage.ask()
        if known is not None:
            raise QueueUnreachable(url=self.shown_url, error=known)
        try:
            with self._explained():
                yield
        except QueueRefused:
            self.outage.ends()
            raise
        except QueueUnreachable as error:
            self.outage.lasts(error.facts["error"])
            raise
        except BaseException:
            self.outage.gave_up()
            raise
        self.outage.ends()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except QueueUnreachable:
            raise
        except Exception as error:
            if not is_of_a_backend(error):
                raise
            text = hide_password(str(error), self._url) or type(error).__name__
            if is_shut(error):
                # What Redis says of a password that is missing is about its protocol.
                text = "it asks for a password" if "HELLO AUTH" in text else text.rstrip(".")
                raise QueueShut(url=self.shown_url, error=text) from error
            kind = QueueUnreachable if is_away(error) else QueueRefused
            raise kind(url=self.shown_url, error=text) from error
