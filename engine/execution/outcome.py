"""An attempt's outcome: the job's result, or the error that ended it, as JSON-ready data."""

import hashlib
import json
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from engine.errors import EngineError, Invalid
from engine.redaction.hiding import hidden
from engine.retry import RetryLater, RetryPolicy
from engine.store.run import RunError

RESULT_LIMIT = 65_536
_ORDINARY = RetryPolicy()
_TRACE_LIMIT = 20_000
_MESSAGE_LIMIT = 4_000
_LOOKED_AT = 8 * _TRACE_LIMIT
# What differs between two errors that are alike: numbers, ids, addresses, quoted values.
_VARIABLE = re.compile(r"0x[0-9a-f]+|\d+|'[^']*'|\"[^\"]*\"")


class ResultNotJson(EngineError):
    """A job returned something that cannot be stored."""

    message = "the job returned {type}, which is not JSON ({error}); return plain data"


class ResultTooLarge(EngineError):
    """A job returned more than a ledger row should hold."""

    message = "the job returned {size} bytes of JSON; the limit is {limit}; publish an artifact"


def success(result: Any) -> dict[str, Any]:
    """The outcome of a job that returned `result`; raises ResultNotJson and ResultTooLarge."""
    try:
        text = json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ResultNotJson(type=type(result).__name__, error=error) from None
    if len(text) > RESULT_LIMIT:
        raise ResultTooLarge(size=len(text), limit=RESULT_LIMIT)
    return {"result": result}


def failure(
    error: BaseException,
    policy: RetryPolicy = _ORDINARY,
    hide: Callable[[str], str] = hidden,
) -> dict[str, Any]:
    """The outcome of a job that raised, by its retry policy: only here are the classes known.

    What `hide` hides is hidden before a long text is cut, so that no half of it is left.
    """
    trace = hide("".join(traceback.format_exception(error))[-_LOOKED_AT:])
    try:
        message = str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - it is a job's class, and may fail at this too
        message = "its message cannot be read: str() of it raised"
    return {
        "error": {
            "type": type(error).__name__,
            "message": hide(message[:_LOOKED_AT])[:_MESSAGE_LIMIT],
            "trace": trace[-_TRACE_LIMIT:],
            "lasting": isinstance(error, Invalid) or not policy.retries(error),
            **_put_off(error),
        }
    }


def not_started(error: EngineError) -> dict[str, Any]:
    """The outcome of an attempt that could not be started."""
    return {"error": {"type": "NotStarted", "message": str(error), "trace": None}}


def is_lasting(outcome: Mapping[str, Any]) -> bool:
    """Whether another attempt would fail alike, or its job wants none after such an error.

    What the engine calls invalid stays so.
    """
    return bool(outcome.get("error", {}).get("lasting", False))


def put_off_for(outcome: Mapping[str, Any]) -> timedelta | None:
    """After which wait the job wants to be tried again without a failure; None if it does not."""
    seconds = outcome.get("error", {}).get("later_seconds")
    return None if seconds is None else timedelta(seconds=seconds)


def error_in(outcome: Mapping[str, Any]) -> RunError | None:
    """The error an outcome tells of; None for a success."""
    told = outcome.get("error")
    if told is None:
        return None
    return run_error(told["type"], told["message"], told["trace"])


def run_error(type_: str, message: str, trace: str | None = None) -> RunError:
    """An error with its fingerprint: equal for errors that differ only in ids and numbers."""
    message, trace = _storable(message), None if trace is None else _storable(trace)
    alike = _VARIABLE.sub("?", f"{type_}: {message}")
    fingerprint = hashlib.sha256(alike.encode()).hexdigest()[:16]
    return RunError(type=type_, message=message, fingerprint=fingerprint, trace=trace)


def beside_first(error: RunError, first: RunError | None) -> RunError:
    """An error of the engine's that names the first one of its run: that is what went wrong."""
    if first is None or first.type == error.type:
        return error
    told = f"; the first error was {first.type}: {first.message}"
    return error if told in error.message else replace(error, message=error.message + told)


def too_late(error: RunError, retry_until: datetime | None) -> RunError:
    """The error of a run that is not tried again, since no attempt may start by then."""
    until = retry_until.isoformat(timespec="seconds") if retry_until else "now"
    return replace(error, message=f"{error.message}; it was to be tried until {until} only")


def _put_off(error: BaseException) -> dict[str, float]:
    if not isinstance(error, RetryLater):
        return {}
    return {"later_seconds": error.after.total_seconds()}


def _storable(text: str) -> str:
    """`text` as a database takes it, and as anybody may read it.

    A file name may hold half a character, and so its error; a URL may hold a password.
    """
    return hidden(text).encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
