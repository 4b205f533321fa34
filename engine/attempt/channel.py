"""The channel to the worker: messages over a socket, never waiting in either direction."""

import socket

from engine.execution.orders import Message, decode, encode

READ = 262_144


class Channel:
    """Newline-delimited JSON over a non-blocking socket; what cannot be sent yet is kept."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._incoming = b""
        self._outgoing = bytearray()

    def fileno(self) -> int:
        """For selectors."""
        return self._connection.fileno()

    @property
    def backlog(self) -> int:
        """Bytes that the worker has not taken yet."""
        return len(self._outgoing)

    def receive(self) -> list[Message] | None:
        """The messages that have come in; None when the other side is gone."""
        try:
            data = self._connection.recv(READ)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        return [decode(line) for line in lines]

    def send(self, message: Message) -> None:
        """Send after all that was sent before, now or at a later `flush`."""
        self._outgoing += encode(message)
        self.flush()

    def flush(self) -> None:
        """Send as much as the other side takes. That it is gone is for `receive` to notice."""
        try:
            while self._outgoing:
                del self._outgoing[: self._connection.send(self._outgoing)]
        except BlockingIOError:
            return
        except OSError:
            self._outgoing.clear()
