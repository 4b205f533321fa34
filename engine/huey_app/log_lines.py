"""Log lines of long-running processes: a stable message, and its facts behind it."""

import logging
from typing import Any

_PLAIN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime"}


class WithFacts(logging.Formatter):
    """Adds what a record carries in `extra`, as name=value, to what another formatter says."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The whole line."""
        facts: dict[str, Any] = {k: v for k, v in vars(record).items() if k not in _PLAIN}
        return self._inner.format(record) + "".join(f" {k}={v}" for k, v in facts.items())


def log_where_huey_does() -> None:
    """Send our lines where Huey's own command line has sent Huey's; nothing if it has not."""
    theirs, ours = logging.getLogger("huey"), logging.getLogger("engine")
    for handler in theirs.handlers:
        if handler not in ours.handlers:
            handler.setFormatter(WithFacts(handler.formatter or logging.Formatter()))
            ours.addHandler(handler)
            ours.setLevel(theirs.level)
