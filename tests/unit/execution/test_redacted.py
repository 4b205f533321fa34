"""What attempts say is stored without secrets; so is what a job returns."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from engine.execution.executor import OnLines, OnProgress
from engine.execution.orders import AttemptEnd, Cause, Line, Order, Progress, Stream
from engine.execution.redacted import RedactedAttempts
from engine.redaction.known import Secrets
from engine.worker.fork_server import ForkServerFailed
from tests.builders.orders import an_order

SECRET = "hunter-2-hunter"  # noqa: S105 - of nobody


@dataclass
class Telling:
    """Attempts that say a secret in every way there is."""

    end: AttemptEnd | None = None
    lines: list[Line] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)

    def run(self, order: Order, *, on_lines: OnLines, on_progress: OnProgress) -> AttemptEnd:
        """Say it, then end or fail to start."""
        on_lines([Line(datetime.now(UTC), Stream.STDOUT, f"with {SECRET}")])
        on_progress(Progress(id=order.id, done=1, note=SECRET))
        on_progress(Progress(id=order.id, done=2))
        if self.end is None:
            raise ForkServerFailed(text=f"no module {SECRET}")
        return self.end

    def carry_out(self) -> AttemptEnd:
        """What is left of it."""
        attempts = RedactedAttempts(attempts=self, secrets=Secrets([SECRET]))
        return attempts.run(
            an_order("x"), on_lines=self.lines.extend, on_progress=self.progress.append
        )


def test_lines_notes_and_errors_are_without_it() -> None:
    error = {"type": "ValueError", "message": SECRET, "trace": f"at {SECRET}", "lasting": True}
    end = AttemptEnd(id="1", cause=Cause.FINISHED, outcome={"error": error}, error=f"said {SECRET}")
    telling = Telling(end)
    told = telling.carry_out()
    assert [line.text for line in telling.lines] == ["with ***"]
    assert [each.note for each in telling.progress] == ["***", None]
    assert told.error == "said ***"
    assert told.outcome == {
        "error": {"type": "ValueError", "message": "***", "trace": "at ***", "lasting": True}
    }


def test_a_result_is_without_it() -> None:
    result = {"found": f"by {SECRET}", "pin": 1234, "wallet": "1000000008", "to": ["a@example.com"]}
    end = AttemptEnd(id="1", cause=Cause.FINISHED, outcome={"result": result})
    assert Telling(end).carry_out().outcome == {
        "result": {"found": "by ***", "pin": "***", "wallet": "1000000008", "to": ["***"]}
    }


def test_an_attempt_without_an_outcome_is_left_as_it_is() -> None:
    end = AttemptEnd(id="1", cause=Cause.FINISHED, outcome=None)
    assert Telling(end).carry_out() == end


def test_an_attempt_that_cannot_be_started_says_why_without_it() -> None:
    with pytest.raises(ForkServerFailed) as told:
        Telling().carry_out()
    assert str(told.value) == "the fork server did not start: no module ***"
