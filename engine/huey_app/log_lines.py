"""Log lines of long-running processes: a stable message, its facts behind it, and no secret."""

import logging
from collections.abc import Callable
from typing import Any

from engine.redaction.hiding import hidden
from engine.redaction.names import is_secret_name
from engine.redaction.own import hidden_here

_PLAIN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime"}


class WithFacts(logging.Formatter):
    """Adds what a record carries in `extra`, as name=value, to what another formatter says.

    Hides what `hide` hides in all of it: the message, the facts, a traceback.
    """

    def __init__(self, inner: logging.Formatter, hide: Callable[[str], str] = hidden) -> None:
        super().__init__()
        self._inner = inner
        self._hide = hide

    def format(self, record: logging.LogRecord) -> str:
        """The whole line."""
        facts: dict[str, Any] = {k: v for k, v in vars(record).items() if k not in _PLAIN}
        shown = "".join(f" {k}={_fact(k, v)}" for k, v in facts.items())
        return self._hide(hidden_here(self._inner.format(record) + shown))


def _fact(name: str, value: Any) -> Any:
    # Here it is known where the value ends.
    return "***" if is_secret_name(name) and value not in (None, "") else value


def log_where_huey_does() -> None:
    """Send our lines where Huey's own command line has sent Huey's; nothing if it has not."""
    theirs, ours = logging.getLogger("huey"), logging.getLogger("engine")
    for handler in theirs.handlers:
        if handler not in ours.handlers:
            handler.setFormatter(WithFacts(handler.formatter or logging.Formatter()))
            ours.addHandler(handler)
            ours.setLevel(theirs.level)
