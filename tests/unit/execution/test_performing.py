"""Performing: whatever a job does becomes an outcome, and what it logs goes to its run."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, cast

import pytest

from engine.errors import EngineError
from engine.execution import outcome
from engine.execution.context import JobContext, Services
from engine.execution.orders import Cause, Order, Stream
from engine.execution.performing import perform
from engine.job import Job
from engine.retry import RetryLater, RetryPolicy
from engine.store.run import Claim
from engine.worker.threaded import ThreadedAttempts
from tests.builders.clock import FakeClock

logger = logging.getLogger("trials")
ORDINARY = RetryPolicy()


@dataclass
class FakeReporter:
    """Remembers what was said."""

    said: list[str] = field(default_factory=list)
    done: list[tuple[int, int | None, str | None]] = field(default_factory=list)

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """How far it is."""
        self.done.append((done, total, note))

    def log(self, text: str) -> None:
        """One record."""
        self.said.append(text)


@pytest.fixture
def reporter() -> FakeReporter:
    """Nothing said yet."""
    return FakeReporter()


def performed(
    function: Callable[..., Any],
    reporter: FakeReporter,
    *,
    isolated: bool = True,
    retry: RetryPolicy = ORDINARY,
    **params: Any,
) -> dict[str, Any]:
    """The outcome of a job that does this."""
    context = JobContext(
        claim=Claim(run_id=1, attempt=2, token="t"),
        reference="RC-20261124-7K3F9",
        job="trial",
        schedule=None,
        scheduled_for=None,
        period=None,
        reporter=reporter,
        services=cast("Services", None),
    )
    return perform(
        Job(name="trial", function=function, isolated=isolated, retry=retry), context, params
    )


def test_a_job_is_given_its_context_and_values_of_its_own_types(reporter: FakeReporter) -> None:
    def work(context: JobContext, *, day: date, rows: int = 7) -> list[Any]:
        context.progress(1, 2, "half")
        return [context.run_id, context.attempt, day.weekday(), rows]

    assert performed(work, reporter, day="2026-11-24") == {"result": [1, 2, 1, 7]}
    assert reporter.done == [(1, 2, "half")]


@pytest.mark.parametrize("error", [ValueError("row 7"), SystemExit("row 7"), EngineError()])
def test_what_a_job_raises_is_its_outcome(reporter: FakeReporter, error: BaseException) -> None:
    def work(context: JobContext) -> None:
        raise error

    told = outcome.error_in(performed(work, reporter))
    assert told is not None
    assert (told.type, told.message) == (type(error).__name__, str(error))
    assert told.trace is not None
    assert "in work" in told.trace


def test_params_that_no_longer_fit_are_an_error_of_the_run(reporter: FakeReporter) -> None:
    told = outcome.error_in(performed(lambda context: None, reporter, gone=1))
    assert told is not None
    assert "gone" in told.message


def test_log_records_go_to_the_run_with_their_facts(reporter: FakeReporter) -> None:
    def work(context: JobContext) -> None:
        logger.info("read %s rows", 7, extra={"wallet": "قرطبة"})
        logger.debug("not this")
        try:
            _ = 1 // 0
        except ZeroDivisionError:
            logger.exception("divided")

    performed(work, reporter)
    first, second = reporter.said
    assert first == "INFO trials: read 7 rows wallet='قرطبة'"
    assert second.startswith("ERROR trials: divided\nTraceback")
    assert second.endswith("ZeroDivisionError: integer division or modulo by zero")
    logger.info("after the job")
    assert len(reporter.said) == 2


@pytest.mark.parametrize(("isolated", "kept"), [(True, 1), (False, 0)])
def test_in_a_process_of_its_own_every_thread_is_the_jobs(
    reporter: FakeReporter, isolated: bool, kept: int
) -> None:
    def work(context: JobContext) -> None:
        thread = threading.Thread(target=logger.info, args=("from a thread",))
        thread.start()
        thread.join()

    performed(work, reporter, isolated=isolated)
    assert len(reporter.said) == kept


def test_a_reporter_that_fails_does_not_fail_the_job(
    monkeypatch: pytest.MonkeyPatch, reporter: FakeReporter
) -> None:
    def work(context: JobContext) -> str:
        logger.info("into a closed pipe")
        return "done"

    def closed(text: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(logging, "raiseExceptions", False)
    monkeypatch.setattr(reporter, "log", closed)
    assert performed(work, reporter) == {"result": "done"}


@pytest.mark.parametrize("result", [object(), {1}, float("inf"), {"x": b""}])
def test_a_result_that_is_not_json_is_an_error(reporter: FakeReporter, result: Any) -> None:
    told = outcome.error_in(performed(lambda context: result, reporter))
    assert told is not None
    assert told.type == "ResultNotJson"
    assert "return plain data" in told.message


def test_a_result_too_large_for_a_row_is_an_error(reporter: FakeReporter) -> None:
    told = outcome.error_in(performed(lambda context: "x" * outcome.RESULT_LIMIT, reporter))
    assert told is not None
    assert told.type == "ResultTooLarge"


def test_errors_that_differ_in_ids_and_numbers_only_are_alike() -> None:
    def fingerprint(message: str, kind: str = "ValueError") -> str:
        return outcome.run_error(kind, message).fingerprint

    first = fingerprint("wallet 7 at 0x7f3a is not 'known'")
    assert first == fingerprint("wallet 81 at 0xdead is not 'there'")
    assert first != fingerprint("wallet 7 at 0x7f3a is 'known'")
    assert first != fingerprint("wallet 7 at 0x7f3a is not 'known'", "KeyError")


def test_an_error_with_half_a_character_can_be_stored() -> None:
    error = outcome.run_error("OSError", "no file \udcff\0", "at \udcff")
    assert (error.message, error.trace) == ("no file \\udcff\\0", "at \\udcff")
    (error.message + (error.trace or "")).encode()


def test_an_attempt_in_the_workers_thread_ends_as_one_in_a_process_does() -> None:
    lines: list[tuple[Stream, str]] = []
    progress: list[int] = []

    def work(order: Order, reporter: Any) -> dict[str, Any]:
        reporter.log("a record \udcff")
        reporter.progress(3)
        return {"result": order.payload["x"]}

    attempts = ThreadedAttempts(perform=work, clock=FakeClock())
    end = attempts.run(
        Order(id="1:1", run_id=1, attempt=1, token="t", payload={"x": 7}),
        on_lines=lambda said: lines.extend((line.stream, line.text) for line in said),
        on_progress=lambda said: progress.append(said.done),
    )
    assert (end.cause, end.outcome) == (Cause.FINISHED, {"result": 7})
    assert lines == [(Stream.LOG, "a record \\udcff")]
    assert progress == [3]


@pytest.mark.parametrize("raised", [KeyboardInterrupt("now"), GeneratorExit("now")])
def test_what_would_end_an_interpreter_ends_the_attempt_only(
    reporter: FakeReporter, raised: BaseException
) -> None:
    def work(context: JobContext) -> None:
        raise raised

    told = performed(work, reporter, isolated=False)["error"]
    assert (told["type"], told["message"]) == (type(raised).__name__, "now")


def test_an_error_that_cannot_say_what_it_is_is_an_error_all_the_same(
    reporter: FakeReporter,
) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def work(context: JobContext) -> None:
        raise Mute

    told = performed(work, reporter)["error"]
    assert told["type"] == "Mute"
    assert "cannot be read" in told["message"]


def test_progress_is_what_the_ledger_and_a_terminal_can_hold(reporter: FakeReporter) -> None:
    def work(context: JobContext) -> None:
        context.progress(-1, 10**30, "two\nlines \x1b[2J and \udcff" + "n" * 1_000)

    performed(work, reporter)
    [(done, total, note)] = reporter.done
    assert (done, total) == (0, 2**63 - 1)
    assert note is not None
    assert note.startswith("two lines \N{REPLACEMENT CHARACTER}[2J and \N{REPLACEMENT CHARACTER}n")
    assert len(note) == 200


def test_of_a_secret_in_a_note_not_even_half_is_left(reporter: FakeReporter) -> None:
    def work(context: JobContext) -> None:
        context.progress(1, None, "x" * 190 + " 4111111111111111")

    performed(work, reporter)
    assert reporter.done == [(1, None, "x" * 190 + " ***")]


def test_progress_in_anything_but_whole_numbers_is_the_jobs_mistake(
    reporter: FakeReporter,
) -> None:
    def work(context: JobContext) -> None:
        context.progress(cast("int", "half"))

    assert performed(work, reporter)["error"]["type"] == "TypeError"


def test_the_jobs_policy_says_which_errors_are_tried_again(reporter: FakeReporter) -> None:
    class GatewayBusy(ConnectionError):
        pass

    def raising(error: Exception) -> Callable[..., Any]:
        def trial(context: Any) -> None:
            raise error

        return trial

    policy = RetryPolicy(retry_on=(ConnectionError,), never_retry_on=("TimeoutError",))
    lasting = {
        type(error).__name__: outcome.is_lasting(performed(raising(error), reporter, retry=policy))
        for error in (GatewayBusy(), ValueError(), TimeoutError())
    }
    assert lasting == {"GatewayBusy": False, "ValueError": True, "TimeoutError": True}


def test_a_job_may_ask_to_be_tried_later(reporter: FakeReporter) -> None:
    def trial(context: Any) -> None:
        raise RetryLater(after=90, reason="the bank is closed")

    told = performed(trial, reporter)
    assert outcome.put_off_for(told) == timedelta(seconds=90)
    error = outcome.error_in(told)
    assert error is not None
    assert (error.type, error.message) == ("RetryLater", "the bank is closed")
    assert outcome.put_off_for({"result": 7}) is None
