"""An account is heard whatever it is made of."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.attempt.account import Account
from engine.attempt.report import Report
from engine.execution.orders import Progress, Stream
from tests.builders.clock import FakeClock
from tests.builders.orders import an_order

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Line:
    """An account and the pipes into it."""

    def __init__(self) -> None:
        ends = [os.pipe() for _ in range(2)]
        for read_end, _ in ends:
            os.set_blocking(read_end, False)
        (events, self.events), (outcome, self.outcome) = ends
        pipes = {events: "events", outcome: "outcome"}
        self.account = Account(an_order("anything"), pipes, FakeClock(NOON))
        self.files = {events, outcome, self.events, self.outcome}

    def report(self) -> Report:
        """What the attempt would be given."""
        self.files.discard(self.outcome)
        return Report(self.events, self.outcome, FakeClock(NOON))


@pytest.fixture
def line() -> Iterator[Line]:
    """A line to an account, hung up at the end."""
    line = Line()
    yield line
    for file in line.files:
        os.close(file)


def test_a_report_arrives(line: Line) -> None:
    report = line.report()
    report.progress(1, 2, "a \ud800 note")
    report.log("a record")
    report.outcome({"rows": 1})
    line.account.read_the_rest()
    (record,) = line.account.output.take()
    progress = line.account.take_progress()
    assert (record.at, record.stream, record.text) == (NOON, Stream.LOG, "a record")
    assert progress == Progress(
        id=progress.id if progress else "", done=1, total=2, note="a \\ud800 note"
    )
    assert line.account.take_progress() is None
    assert (line.account.delivered, line.account.outcome) == (True, {"rows": 1})


def test_an_outcome_is_said_once(line: Line) -> None:
    report = line.report()
    report.outcome(1)
    with pytest.raises(RuntimeError, match="has been delivered"):
        report.outcome(2)


def test_half_an_event_does_not_take_the_next_one_with_it(line: Line) -> None:
    os.write(line.events, b'\n{"log":["2026-01-31T12:00:00')
    line.report().log("whole")
    for nonsense in (b"[]", b"{}", b'{"progress":1}', b'{"log":[1,2]}', b"\xff", b'{"a":1,"b":2}'):
        os.write(line.events, nonsense + b"\n")
    line.account.read_the_rest()
    assert [record.text for record in line.account.output.take()] == ["whole"]


@pytest.mark.parametrize("said", [b'{"outcome": 1, "peak', b"[]\n", b"{}\n", b"\xff\n"])
def test_half_an_outcome_is_none(line: Line, said: bytes) -> None:
    os.write(line.outcome, said)
    line.account.read_the_rest()
    assert line.account.delivered is False
