"""Attempts whose words are fit to be stored: neither a secret nor anything personal is in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import EngineError
from engine.execution.executor import Attempts, OnLines, OnProgress
from engine.execution.orders import AttemptEnd, Line, Order, Progress
from engine.redaction.known import Secrets


@dataclass(frozen=True, kw_only=True)
class RedactedAttempts:
    """Has others carry attempts out, and hides secrets in what they say: lines, notes, errors.

    And in what they return: names and patterns tell, numbers are left as they are.
    """

    attempts: Attempts
    secrets: Secrets

    def run(self, order: Order, *, on_lines: OnLines, on_progress: OnProgress) -> AttemptEnd:
        """Carry out one attempt, and wait for its end; an EngineError if it cannot be started."""

        def lines(said: Sequence[Line]) -> None:
            on_lines([replace(line, text=self.secrets.hidden_in(line.text)) for line in said])

        def progress(said: Progress) -> None:
            on_progress(replace(said, note=said.note and self.secrets.hidden_in(said.note)))

        try:
            end = self.attempts.run(order, on_lines=lines, on_progress=progress)
        except EngineError as fault:
            # A job's module may have failed while it was loaded ahead.
            raise type(fault)(**self._hidden(fault.facts)) from None
        error = end.error and self.secrets.hidden_in(end.error)
        return replace(end, outcome=self._outcome(end.outcome), error=error)

    def _outcome(self, told: Any) -> Any:
        if not isinstance(told, Mapping):
            return told
        if isinstance(told.get("error"), Mapping):
            return {**told, "error": self._hidden(told["error"])}
        if "result" in told:
            return {**told, "result": self.secrets.hidden_in_data(told["result"])}
        return told

    def _hidden(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self.secrets.hidden_in(each) if isinstance(each, str) else each
            for name, each in facts.items()
        }
