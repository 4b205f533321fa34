"""A payment gateway of the tests' own: it drops, delays, duplicates, and cuts what it answers.

Its own ledger is the witness of what was charged.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# How it may treat a request, and how often.
MOODS = {
    "well": 60,  # charges and says so
    "twice": 5,  # the request arrives two times
    "turned down": 5,  # charges nothing and says so
    "dropped": 6,  # charges nothing and says nothing
    "silent": 8,  # charges and hangs up
    "late": 2,  # charges and answers when nobody waits any more
    "broken": 8,  # charges and answers 500
    "torn": 6,  # charges and hangs up within its answer
}
_LATE = 2.0
_CHARGES = {"well", "twice", "silent", "late", "broken", "torn"}
_TELLS = {"well", "twice"}


@dataclass
class Gateway:
    """What was charged, by key. Where it is `idempotent`, a key is charged once."""

    idempotent: bool
    seed: int = 1
    charges: list[tuple[str, int]] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    port: int = 0
    quiet_since: float = 0.0
    _seen: dict[str, str] = field(default_factory=dict)
    _under_way: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - a test's choices
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it charges."""
        return f"http://127.0.0.1:{self.port}/charges"

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way, nor was a moment ago."""
        with self._lock:
            return not self._under_way and time.monotonic() - self.quiet_since > 1.0

    def charged(self) -> Counter[str]:
        """How often each key was charged."""
        with self._lock:
            return Counter(key for key, _ in self.charges)

    def answer(self, request: dict[str, Any], delivery: str) -> tuple[str, dict[str, Any]]:
        """Its mood, and what it would say."""
        with self._lock:
            self._under_way += 1
            (mood,) = self._chance.choices([*MOODS], [*MOODS.values()])
            self.happened[mood] += 1
            said: dict[str, Any] = {}
            if mood in _CHARGES:
                before = len(self.charges)
                for _ in range(2 if mood == "twice" else 1):
                    said = {"charge": self._charge(request, delivery)}
                self.cut += len(self.charges) > before and mood not in _TELLS
            return mood, said

    def _charge(self, request: dict[str, Any], delivery: str) -> str:
        name = request["key"] if self.idempotent else delivery
        if name not in self._seen:
            self.charges.append((request["key"], request["amount"]))
            self._seen[name] = f"ch_{len(self.charges)}"
        return self._seen[name]

    def done(self) -> None:
        """One request is over."""
        with self._lock:
            self._under_way -= 1
            self.quiet_since = time.monotonic()


@contextmanager
def a_gateway(*, idempotent: bool, seed: int = 1) -> Iterator[Gateway]:
    """One that listens."""
    gateway = Gateway(idempotent=idempotent, seed=seed)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            mood, said = gateway.answer(request, self.headers["X-Delivery"])
            try:
                self._answer(mood, json.dumps(said).encode())
            except OSError:
                pass  # nobody waits for it any more
            finally:
                gateway.done()

        def _answer(self, mood: str, body: bytes) -> None:
            self.close_connection = True
            if mood in ("dropped", "silent"):
                return
            if mood == "late":
                time.sleep(_LATE)
            status = {"broken": 500, "turned down": 402}.get(mood, 200)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if mood == "torn" else body)

        def log_message(self, *_: Any) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Listener(("127.0.0.1", 0), Handler)
    gateway.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield gateway
    server.shutdown()
    server.server_close()
