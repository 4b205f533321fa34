"""A process that holds a fork server, for tests that kill it.

`python -m tests.processes.fork_server_client PIDS [stay]`; with `stay` it notes SIGTERM in PIDS
instead of dying of it.
"""

import signal
import sys
import threading

from engine.worker.fork_server import ForkServer
from tests.builders.orders import an_order
from tests.processes.waiting import note


def main(pids: str, *words: str) -> None:
    """Run one attempt that will not end by itself, and note the server's pid."""
    if words == ("stay",):
        signal.signal(signal.SIGTERM, lambda *_: note(pids))
    server = ForkServer.start(performer="tests.processes.performances:performer")
    assert server.pid is not None
    order = an_order("refuse_to_die", pids=pids)
    threading.Thread(target=server.run, args=(order,)).start()
    note(pids, server.pid)
    while True:
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
