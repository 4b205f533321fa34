"""A stumbling way to a server: passes requests on, but for those that a test says fail."""

import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_XML = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{text}</Message></Error>"
# What a fault answers with: a status and a code of S3; None breaks the connection.
FAULTS: dict[str, tuple[int, str] | None] = {
    "reset": None,
    "slow down": (503, "SlowDown"),
    "internal error": (500, "InternalError"),
    "denied": (403, "AccessDenied"),
}


@dataclass
class Faulty:
    """The next `times` requests that contain `where` in "METHOD /path?query" fail like `fault`."""

    port: int
    fault: str = "reset"
    where: str = "PUT"
    times: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"

    def fail(self, fault: str, where: str, times: int = 1_000) -> None:
        """From now on, requests like `where` fail so often."""
        self.fault, self.where, self.times = fault, where, times

    def count(self, where: str) -> int:
        """How many requests like `where` came."""
        return sum(where in each for each in self.asked)

    def takes(self, request: str) -> bool:
        """Whether this request is one of those that fail."""
        self.asked.append(request)
        if self.where not in request or self.times <= 0:
            return False
        self.times -= 1
        return True


@contextmanager
def a_faulty_way_to(port: int) -> Iterator[Faulty]:
    """A server in this process that passes requests on to one on this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self._body()
            if faulty.takes(f"{self.command} {self.path}"):
                self._fail()
                return
            server = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            server.request(self.command, self.path, body, dict(self.headers))
            answer = server.getresponse()
            data = answer.read()
            server.close()
            kept = {k: v for k, v in answer.getheaders() if k.lower() not in _HOP_BY_HOP}
            if self.command == "HEAD":
                kept["Content-Length"] = answer.getheader("Content-Length") or "0"
            self._answer(answer.status, data, kept)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - the library's names

        def _body(self) -> bytes:
            if self.headers.get("Expect") == "100-continue":
                pass  # the library has said that it may go on
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _fail(self) -> None:
            told = FAULTS[faulty.fault]
            if told is None:
                # A reset, not an orderly end.
                now = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
                self.connection.close()
                self.close_connection = True
                return
            status, code = told
            data = _XML.format(code=code, text="as the test wants it").encode()
            self._answer(status, b"" if self.command == "HEAD" else data, {})

        def _answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response_only(status)
            for name, value in ({"Content-Length": str(len(data))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    faulty = Faulty(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield faulty
    server.shutdown()
    server.server_close()
    thread.join()


_HOP_BY_HOP = {"transfer-encoding", "connection", "content-length", "keep-alive"}
