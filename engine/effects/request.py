"""What an effect is asked for and what comes of it, as a ledger keeps them."""

import hashlib
import inspect
import json
from collections.abc import Callable
from typing import Any

from engine.effects.faults import ResultNotJson, UnclearCall
from engine.redaction.hiding import hidden, hidden_data
from engine.redaction.own import hidden_here


def hash_of(request: Any) -> str:
    """The same for equal requests. Nobody can read them in it, but guess what is short."""
    text = json.dumps(request, sort_keys=True, ensure_ascii=False, allow_nan=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def as_json(key: str, result: Any) -> Any:
    """The result as whoever asks again will read it, without secrets; raises ResultNotJson."""
    try:
        # It is kept in clear for as long as its key is.
        return hidden_data(json.loads(json.dumps(result, allow_nan=False)), _hidden)
    except (TypeError, ValueError) as error:
        raise ResultNotJson(key=key, type=type(result).__name__, error=error) from None


def _hidden(text: str) -> str:
    return hidden(hidden_here(text))


def takes_connection(key: str, call: Callable[..., Any]) -> bool:
    """Whether it is work in a database, which takes its connection, or a call to somewhere else.

    By the arguments that it must be given: one, or none. Raises UnclearCall for all others.
    """
    if inspect.iscoroutinefunction(call):
        raise UnclearCall(key=key, text="a coroutine is not called; give a plain function")
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):
        raise UnclearCall(key=key, text="nobody knows what it takes; give a function") from None
    # Without them first: `lambda order=order: ...` is how a loop's value is kept.
    if _accepts(signature):
        return False
    if not _accepts(signature, object()):
        raise UnclearCall(
            key=key,
            text="give a function that takes one argument, the connection of the transaction that "
            "its work belongs to, or none if it calls something else",
        )
    return True


def _accepts(signature: inspect.Signature, *arguments: object) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True
