"""Commands as processes of their own that need not import anything: forked from one that has.

A command line takes half a second to import what it needs, and tests give hundreds of them. The
server imports everything once; what it forks then runs `python -m engine` as any other process:
with arguments, environment, folder, standard streams and exit code of its own.
"""

import atexit
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp

_ROOT = Path(__file__).parents[2]
_LARGEST = 1_000_000  # bytes of one order
_ENTRY_POINTS = ("engine.__main__", "engine.queues", "engine.store.migrations")


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], *, timeout: float
) -> subprocess.CompletedProcess[str]:
    """`python -m engine` with these arguments in this environment.

    Raises TimeoutExpired, when it has been killed. A library that has to be there from the start
    takes a process that begins anew.
    """
    if "LD_PRELOAD" in environment:
        return subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "engine", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    order = json.dumps({"arguments": arguments, "environment": dict(environment)}).encode()
    with (
        TemporaryFile() as out,
        TemporaryFile() as err,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line,
    ):
        line.settimeout(timeout)
        line.connect(_server())
        socket.send_fds(line, [order], [out.fileno(), err.fileno()])
        line.shutdown(socket.SHUT_WR)
        answers = line.makefile()
        child = int(answers.readline())
        try:
            code = int(answers.readline())
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(arguments), timeout) from None
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode())
    return subprocess.CompletedProcess(list(arguments), code, *said)


@cache
def _server() -> str:
    """Where the server listens, which ends with this process."""
    address = str(Path(mkdtemp(prefix="commands-"), "line"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ENGINE_")}
    server = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "tests.builders.command_server", address],
        cwd=_ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    server.stdout.close()
    atexit.register(server.wait)
    atexit.register(server.stdin.close)
    return address


def _serve(address: str) -> tuple[list[str], dict[str, str]]:
    """Fork for each order; returns in the forked ones, with what is to be run there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                os._exit(0)  # whoever started it has ended
            line, _ = listener.accept()
            if os.fork() == 0:
                break
            line.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with line:
        order, fds, _, _ = socket.recv_fds(line, _LARGEST, 2)
        while more := line.recv(_LARGEST):
            order += more
        if child := os.fork():
            line.sendall(f"{child}\n".encode())
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            with suppress(OSError):
                line.sendall(f"{code}\n".encode())
            os._exit(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, fd in enumerate((nothing, *fds)):
        os.dup2(fd, target)
        os.close(fd)
    given = json.loads(order)
    return given["arguments"], given["environment"]


def _import_all() -> None:
    import engine

    # What makes a ledger is imported where one is made.
    import_module("alembic.command")
    for module in pkgutil.walk_packages(engine.__path__, "engine."):
        # The entry points act when they are imported.
        if not module.name.startswith(_ENTRY_POINTS):
            import_module(module.name)


def _main() -> None:
    _import_all()
    arguments, environment = _serve(sys.argv[1])
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    sys.path[1:1] = environment.get("PYTHONPATH", "").split(os.pathsep)
    code = 1
    try:
        runpy.run_module("engine", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as an interpreter does
        traceback.print_exc()
    # As an interpreter ends, but without taking apart all that was imported, which takes seconds.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _main()
