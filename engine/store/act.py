"""Acts: what an operator does to the ledger, noted in the transaction that does it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

ActName = Literal[
    "add user",
    "approve",
    "cancel",
    "change role",
    "correct effects",
    "disable user",
    "discard",
    "give token",
    "pause",
    "reject",
    "restart",
    "resume",
    "retry",
    "revoke token",
    "rotate",
    "run",
    "settle effects",
]
"""Every kind of act that there is."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Who did what, to what, how often, why; and in `facts` the filter, what was before and after.

    `act` is the kind, `subject` the one thing it was done to, such as `queue payouts`.
    """

    actor: str
    act: ActName
    subject: str | None = None
    count: int = 1
    reason: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


_NOTED: WeakKeyDictionary[Connection, list[Act]] = WeakKeyDictionary()


def note(connection: Connection, act: Act) -> None:
    """Have `act` written into the audit when the transaction ends, and only if it is committed.

    At its end, because nobody else writes there meanwhile: no row is waited for then.
    """
    _NOTED.setdefault(connection, []).append(act)


def take_noted(connection: Connection) -> Sequence[Act]:
    """What was noted since the transaction began; not again."""
    return _NOTED.pop(connection, [])


def ranges(ids: Iterable[int]) -> str:
    """`1-3,7`: which ones exactly, in few letters."""
    parts: list[list[int]] = []
    for each in sorted(ids):
        if parts and each == parts[-1][1] + 1:
            parts[-1][1] = each
        else:
            parts.append([each, each])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)
