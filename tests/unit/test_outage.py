"""An outage: one asks for all, after pauses that grow, and little is said."""

import logging
from dataclasses import dataclass

import pytest

from engine.outage import Outage


@dataclass
class Watch:
    """A monotonic clock that stands still until it is moved."""

    seconds: float = 100.0

    def __call__(self) -> float:
        """The time on it."""
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    """A clock."""
    return Watch()


@pytest.fixture
def outage(watch: Watch) -> Outage:
    """Without an outage yet, and with the longest pauses that chance allows."""
    return Outage("the queue", "redis://here", monotonic=watch, chance=lambda: 1.0)


def test_pauses_grow_from_half_a_second_to_five(outage: Outage, watch: Watch) -> None:
    assert outage.pause == 0
    pauses = []
    for _ in range(6):
        assert outage.ask() is None
        outage.lasts("refused")
        pauses.append(outage.pause)
        watch.seconds += outage.pause
    assert pauses == pytest.approx([0.5, 1, 2, 4, 5, 5])
    assert outage.ask() is None
    outage.ends()
    outage.lasts("refused again")
    assert outage.pause == pytest.approx(0.5)


def test_chance_shortens_a_pause_by_a_quarter_at_most(watch: Watch) -> None:
    outage = Outage("the queue", monotonic=watch, chance=lambda: 0.0)
    outage.lasts("refused")
    assert outage.pause == pytest.approx(0.375)


def test_while_it_lasts_one_asks_and_the_others_get_the_last_answer(
    outage: Outage, watch: Watch
) -> None:
    outage.lasts("refused")
    assert outage.ask() == "refused"
    watch.seconds += 1
    assert outage.ask() is None
    assert outage.ask() == "refused"
    assert 0 < outage.pause < 1
    outage.gave_up()
    assert outage.ask() is None
    outage.ends()
    assert [outage.ask(), outage.ask(), outage.pause] == [None, None, 0]


def test_threads_that_asked_before_it_was_known_do_not_lengthen_the_pause(outage: Outage) -> None:
    for _ in range(8):
        outage.lasts("refused")
    assert outage.pause == pytest.approx(0.5)


def test_it_is_said_when_it_begins_each_half_minute_and_when_it_ends(
    outage: Outage, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(62):
        outage.lasts("refused")
        watch.seconds += 0.5
    outage.ends()
    outage.ends()
    assert caplog.messages == [
        "the queue is away; waiting for it",
        "the queue is still away",
        "the queue is back",
    ]
    facts = [vars(record) for record in caplog.records]
    assert [each["url"] for each in facts] == ["redis://here"] * 3
    assert facts[0]["error"] == "refused"
    assert [each["seconds"] for each in facts[1:]] == [30, 31]


def test_one_that_comes_and_goes_is_not_said_anew(
    outage: Outage, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(20):
        outage.lasts("refused")
        outage.ends()
        watch.seconds += 1
    assert len(caplog.messages) == 2


def test_that_it_has_ended_is_told_once(outage: Outage) -> None:
    assert outage.has_ended() is False
    outage.lasts("refused")
    assert outage.has_ended() is False
    outage.ends()
    assert [outage.has_ended(), outage.has_ended()] == [True, False]
