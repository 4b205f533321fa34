"""The worker's side of the fork server: `ForkServer` carries out attempts for any thread."""

import json
import logging
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Self

from engine.errors import EngineError
from engine.execution.orders import (
    AttemptEnd,
    Broken,
    Cause,
    Line,
    Lines,
    Message,
    Order,
    Prepare,
    Progress,
    Ready,
    Renewed,
    Stop,
    StopReason,
    decode,
    encode,
)

logger = logging.getLogger(__name__)

PERFORMER = "engine.attempt.perform:performer"
START_LIMIT = 60.0
END_LIMIT = 10.0
# The server sees the modules that the worker sees; PYTHONPATH would be inherited by every
# program that a job starts.
BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[3]); "
    "from engine.attempt.main import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)

OnLines = Callable[[Sequence[Line]], object]
OnProgress = Callable[[Progress], object]


class ForkServerFailed(EngineError):
    """No attempt can be started in its own process."""

    message = "the fork server did not start: {text}"


class ForkServer:
    """Carries out attempts in processes of their own, each within its order's limits.

    `start` it before the worker has other threads or open files worth keeping private; if the
    server process dies, its attempts end as crashed and the next `run` starts another.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        preload: Sequence[str] = (),
        performer: str = PERFORMER,
    ) -> None:
        self._environment = dict(os.environ if environment is None else environment)
        self._prepare = Prepare(performer=performer, preload=tuple(preload))
        self._lock = threading.Lock()
        self._link: _Link | None = None
        self._closed = False

    @classmethod
    def start(
        cls,
        environment: Mapping[str, str] | None = None,
        preload: Sequence[str] = (),
        performer: str = PERFORMER,
    ) -> Self:
        """A fork server that is ready. Raises ForkServerFailed when there can be no `performer`."""
        server = cls(environment, preload, performer)
        server._live_link()
        return server

    @property
    def pid(self) -> int | None:
        """The server's process, None when none runs."""
        link = self._link
        return link.pid if link is not None and link.alive else None

    def run(
        self,
        order: Order,
        *,
        on_lines: OnLines | None = None,
        on_progress: OnProgress | None = None,
    ) -> AttemptEnd:
        """Carry out the order and wait for its end.

        What the attempt says is handed to the callbacks in this thread, before the end returns;
        one that raises is logged and does not disturb the attempt. Raises ForkServerFailed
        when there is no server to be had: then nothing has been started.
        """
        heard: queue.SimpleQueue[Message] = queue.SimpleQueue()
        while not self._live_link().start(order, heard):
            logger.warning("fork server ended; starting another")
        while not isinstance(message := heard.get(), AttemptEnd):
            try:
                if isinstance(message, Lines) and on_lines is not None:
                    on_lines(message.lines)
                elif isinstance(message, Progress) and on_progress is not None:
                    on_progress(message)
            except Exception:
                logger.exception("what attempt said was lost", extra={"order": order.id})
        return message

    def stop(self, order_id: str, reason: StopReason) -> bool:
        """Ask for the end of an attempt; False if it is not running (any more)."""
        link = self._link
        return link is not None and link.tell(order_id, Stop(id=order_id, reason=reason))

    def prolong(self, order_id: str, fuse: timedelta) -> bool:
        """The attempt may go on for this long from now; False if it is not running (any more)."""
        link = self._link
        return link is not None and link.tell(order_id, Renewed(id=order_id, fuse=fuse))

    def close(self) -> None:
        """Kill every attempt that still runs, end the server, and wait for both."""
        with self._lock:
            self._closed = True
            link, self._link = self._link, None
        if link is not None:
            link.close()

    def _live_link(self) -> "_Link":
        with self._lock:
            if self._closed:
                raise ForkServerFailed(text="it has been closed")
            if self._link is None or not self._link.alive:
                self._link = _Link(self._environment, self._prepare)
            return self._link


class _Link:
    """One server process, the socket to it, and the attempts that wait for its answers."""

    def __init__(self, environment: Mapping[str, str], prepare: Prepare) -> None:
        self.alive = True
        self._lock = threading.Lock()
        self._waiting: dict[str, queue.SimpleQueue[Message]] = {}
        ours, theirs = socket.socketpair()
        arguments = [str(theirs.fileno()), str(os.getpid()), json.dumps(sys.path)]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-c", BOOT, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._connection = ours
        self._incoming = ours.makefile("rb")
        try:
            self.pid = self._first_words(prepare)
        except BaseException:
            self._process.kill()
            self.close_files()
            self._process.wait()
            raise
        reader = threading.Thread(target=self._dispatch, name="fork-server-reader", daemon=True)
        self._reader = reader
        reader.start()

    def start(self, order: Order, heard: "queue.SimpleQueue[Message]") -> bool:
        """Give the order; False when the server is gone, so that nothing has been started."""
        with self._lock:
            if order.id in self._waiting:
                raise ValueError(f"attempt {order.id} is running already")
            self._waiting[order.id] = heard
            if self.alive and self._send(order):
                return True
            self.alive = False
            del self._waiting[order.id]
            return False

    def tell(self, order_id: str, message: Message) -> bool:
        """Pass on a wish about an attempt; False when no such attempt runs."""
        with self._lock:
            return order_id in self._waiting and self._send(message)

    def close(self) -> None:
        """The end of the socket ends the server; the reader notices and does the rest."""
        with self._lock, suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._reader.join()

    def close_files(self) -> None:
        """Let go of the socket."""
        self._incoming.close()
        self._connection.close()

    def _first_words(self, prepare: Prepare) -> int:
        self._connection.settimeout(START_LIMIT)
        try:
            self._connection.sendall(encode(prepare))
            line = self._incoming.readline()
        except OSError as error:
            raise ForkServerFailed(text=f"it said nothing for {START_LIMIT:g} s") from error
        if not line:
            raise ForkServerFailed(text="it ended at once; its stderr says why")
        self._connection.settimeout(None)
        message = decode(line)
        if isinstance(message, Broken):
            raise ForkServerFailed(text=message.error)
        if not isinstance(message, Ready):
            raise ForkServerFailed(text=f"it answered {message}")
        for problem in message.problems:
            logger.warning("not preloaded", extra={"problem": problem})
        return message.pid

    def _send(self, message: Message) -> bool:
        try:
            self._connection.sendall(encode(message))
        except OSError:
            return False
        return True

    def _dispatch(self) -> None:
        """Hand every message to the thread that waits for it, until the server is gone."""
        try:
            for line in self._incoming:
                message = decode(line)
                if isinstance(message, AttemptEnd):
                    with self._lock:
                        heard = self._waiting.pop(message.id, None)
                    if heard is not None:
                        heard.put(message)
                elif isinstance(message, Lines | Progress) and message.id in self._waiting:
                    self._waiting[message.id].put(message)
        except OSError:
            logger.info("lost the fork server's socket")
        finally:
            self._end()

    def _end(self) -> None:
        """The server is gone. Its guard ends when every process of every attempt has."""
        with self._lock:
            self.alive = False
            self.close_files()
        try:
            code = self._process.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        how = f"killed by signal {code - 128}" if code > 128 else f"exit code {code}"
        for order_id, heard in waiting.items():
            # What it had read from the attempt and not passed on yet is gone with it.
            error = (
                f"the fork server ended ({how}) and the attempt with it; the last lines that it "
                "wrote may be missing"
            )
            heard.put(AttemptEnd(id=order_id, cause=Cause.CRASHED, error=error))
