"""A cause of trouble, and what looking for it may find."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.operations.doctor.patient import Patient


class Question(StrEnum):
    """What people ask on the phone at night."""

    NOT_PROCESSING = "not_processing"
    SLOW = "slow"


class Verdict(StrEnum):
    """What came of looking for a cause."""

    FINE = "fine"
    FOUND = "found"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong: `text` says it with its numbers, `next` what to type."""

    text: str
    next: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One cause: `fine` says that it is not so, `look` finds out.

    `look` raises an EngineError when it cannot: something that it has to ask is away.
    """

    name: str
    question: Question
    fine: str
    look: Callable[["Patient"], Iterable[Finding]] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What looking for one cause came to; `why` is why it could not be checked."""

    cause: Cause
    verdict: Verdict
    findings: Sequence[Finding] = ()
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {
            "name": self.cause.name,
            "question": self.cause.question,
            "verdict": self.verdict,
            "findings": [
                {"text": finding.text, "next": list(finding.next)} for finding in self.findings
            ],
            "why": self.why,
        }
