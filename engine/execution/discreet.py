"""Discreet attempts: what is secret of their own run is hidden in all that they say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine.execution.executor import Attempts, OnLines, OnProgress
from engine.execution.opening import Opening
from engine.execution.orders import AttemptEnd, Order
from engine.execution.redacted import RedactedAttempts
from engine.redaction.known import Secrets


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
        return redacted.run(order, on_lines=on_lines, on_progress=on_progress)

    @cached_property
    def _secrets(self) -> Secrets:
        return Secrets(self.passwords)
