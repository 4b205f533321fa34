"""An attempt's outcome: the job's result, or the error that ended it, as JSON-ready data."""

import hashlib
import json
import re
import traceback
from collections.abc import Mapping
from typing import Any

from engine.errors import EngineError, Invalid
from engine.redaction import without_passwords
from engine.store.run import RunError

RESULT_LIMIT = 65_536
_TRACE_LIMIT = 20_000
_MESSAGE_LIMIT = 4_000
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


def failure(error: BaseException) -> dict[str, Any]:
    """The outcome of a job that raised."""
    trace = "".join(traceback.format_exception(error))
    try:
        message = str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - it is a job's class, and may fail at this too
        message = "its message cannot be read: str() of it raised"
    return {
        "error": {
            "type": type(error).__name__,
            "message": message[:_MESSAGE_LIMIT],
            "trace": trace[-_TRACE_LIMIT:],
            "lasting": isinstance(error, Invalid),
        }
    }


def is_lasting(outcome: Mapping[str, Any]) -> bool:
    """Whether another attempt would fail alike: what the engine calls invalid stays so."""
    return bool(outcome.get("error", {}).get("lasting", False))


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


def _storable(text: str) -> str:
    """`text` as a database takes it, and as anybody may read it.

    A file name may hold half a character, and so its error; a URL may hold a password.
    """
    return without_passwords(text).encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
