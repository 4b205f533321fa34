"""Discreet attempts: what is secret of their own run is hidden in all that they say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from engine.execution.executor import Attempts, OnLines, OnProgress
from engine.execution.opening import Opening
from engine.execution.orders import AttemptEnd, Order
from engine.execution.redacted import RedactedAttempts
from engine.redaction.hiding import MASK
from engine.redaction.known import Secrets
from engine.redaction.own import hiding


@dataclass(frozen=True, kw_only=True)
class DiscreetAttempts:
    """Has others carry attempts out; the `passwords` are those of the settings."""

    attempts: Attempts
    passwords: Sequence[str] = field(repr=False)
    opening: Opening

    def run(self, order: Order, *, on_lines: OnLines, on_progress: OnProgress) -> AttemptEnd:
        """Carry out one attempt, and wait for its end; an EngineError if it cannot be started."""
        own = self.opening.texts(order.payload)
        secrets = Secrets([*self.passwords, *own]) if own else self._secrets
        redacted = RedactedAttempts(attempts=self.attempts, secrets=secrets)
        # A job in this thread says things here as well.
        with hiding(secrets):
            end = redacted.run(order, on_lines=on_lines, on_progress=on_progress)
        return replace(end, outcome=_without_numbers(end.outcome, set(own))) if own else end

    @cached_property
    def _secrets(self) -> Secrets:
        return Secrets(self.passwords)


def _without_numbers(told: Any, own: Collection[str]) -> Any:
    """What a job returned without the numbers that are secret themselves, such as a PIN."""
    match told:
        case Mapping():
            return {name: _without_numbers(each, own) for name, each in told.items()}
        case list():
            return [_without_numbers(each, own) for each in told]
        case int() | float() if not isinstance(told, bool) and str(told) in own:
            return MASK
    return told
