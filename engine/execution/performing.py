"""Performing: call a job with its context, its log lines going to the reporter."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.execution import outcome
from engine.execution.context import JobContext, Reporter
from engine.job import Job
from engine.redaction.hiding import hidden

_PLAIN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime"}

# Libraries that log each step they take.
_CHATTY = ("weasyprint", "fontTools")


def perform(
    job: Job,
    context: JobContext,
    params: Mapping[str, Any],
    hide: Callable[[str], str] = hidden,
) -> dict[str, Any]:
    """Carry out one attempt in this thread; its outcome, whatever the job raises.

    `hide` hides what nobody is to see of an error.
    """
    # In a process of its own all threads are the job's; in the worker only this one is.
    thread = None if job.isolated else threading.get_ident()
    with _logging_to(context.reporter, thread):
        try:
            result = job.function(context, **job.arguments(params))
            return outcome.success(result)
        except BaseException as error:  # noqa: BLE001 - a job may raise anything; all of it is recorded
            return outcome.failure(error, job.retry, hide)


class ReporterHandler(logging.Handler):
    """Gives the log records of one thread, or of all with None, to a reporter."""

    def __init__(self, reporter: Reporter, thread: int | None) -> None:
        super().__init__()
        self._reporter = reporter
        self._thread = thread

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on as one line: level, logger, message, facts."""
        if self._thread is not None and record.thread != self._thread:
            return
        try:
            self._reporter.log(_text(record))
        except Exception:  # noqa: BLE001 - as logging's own handlers: never the caller's trouble
            self.handleError(record)


def _text(record: logging.LogRecord) -> str:
    facts = {k: v for k, v in vars(record).items() if k not in _PLAIN}
    shown = "".join(f" {name}={value!r}" for name, value in facts.items())
    text = f"{record.levelname} {record.name}: {record.getMessage()}{shown}"
    if record.exc_info:
        text += "\n" + logging.Formatter().formatException(record.exc_info)
    return text


@contextmanager
def _logging_to(reporter: Reporter, thread: int | None) -> Iterator[None]:
    root = logging.getLogger()
    for chatty in map(logging.getLogger, _CHATTY):
        # Each setting of a level has every logger forget what it is enabled for.
        if chatty.level != logging.WARNING:
            chatty.setLevel(logging.WARNING)
    handler = ReporterHandler(reporter, thread)
    root.addHandler(handler)
    if not root.isEnabledFor(logging.INFO):
        # And stays so: another thread's job may have begun since, and counts on it.
        root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
