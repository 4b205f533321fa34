"""What Huey's own command line loads: `huey_consumer engine.queues.default` is a full worker.

`engine.queues.<name>` is a Huey that serves the queue `<name>`.
"""

import sys
import threading
from typing import Any

from engine.app import build_app
from engine.errors import EngineError
from engine.job import QUEUE_NAME
from engine.settings import load_settings


def __getattr__(name: str) -> Any:
    if name.startswith("__") or not QUEUE_NAME.fullmatch(name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        app = build_app(load_settings())
        # Until it is there, or the process is told to end.
        app.await_ledger(threading.Event())
        return app.worker_huey([name])
    except EngineError as error:
        # Huey would show a traceback, and try again.
        sys.stderr.write(f"engine: {error}\n")
        sys.exit(error.exit_code)
