"""A line to a server on which each piece takes its time; the server itself is quick."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 65_536


@contextmanager
def a_slow_line(to_port: int, *, seconds: float) -> Iterator[int]:
    """The port at which the server is reached slowly."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        taking = threading.Thread(target=_take_all, args=(listening, to_port, seconds), daemon=True)
        taking.start()
        yield port
        # Closing alone would leave the thread waiting.
        listening.shutdown(socket.SHUT_RDWR)
        taking.join()


def _take_all(listening: socket.socket, to_port: int, seconds: float) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            server = socket.create_connection(("127.0.0.1", to_port))
            for one, other, wait in ((client, server, seconds), (server, client, 0.0)):
                threading.Thread(target=_pass_on, args=(one, other, wait), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket, seconds: float) -> None:
    with suppress(OSError):
        while piece := one.recv(_PIECE):
            time.sleep(seconds)
            other.sendall(piece)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
