"""A reading that nobody can stop is given up, and left to itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any

import pyarrow as pa
import pytest

from engine.sources.overtime import Overtime, Reading

MINUTE, MOMENT = timedelta(minutes=1), timedelta(seconds=0.1)
BATCH = pa.RecordBatch.from_pydict({"n": [1, 2]})


def opener(*steps: Any) -> Any:
    """What gives a batch for each step: an event is waited for, an error raised."""

    def batches() -> Iterator[Any]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Event):
                step.wait()
            yield BATCH

    @contextmanager
    def opened() -> Iterator[Any]:
        yield _Reader(batches())

    return opened


class _Reader:
    """Raises errors as they are, as a driver's own reader does."""

    schema = BATCH.schema

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        return self._batches


def test_batches_come_in_order_to_the_end() -> None:
    reading = Reading(opener(*range(20)), MINUTE)
    with reading.opened() as reader:
        assert sum(batch.num_rows for batch in reader) == 40
    assert not reading.left_behind


def test_a_driver_that_does_not_come_back_is_left_behind() -> None:
    stuck = Event()
    reading = Reading(opener(1, stuck), MOMENT)
    with pytest.raises(Overtime), reading.opened() as reader:
        reader.read_all()
    assert reading.left_behind
    stuck.set()


def test_it_is_left_behind_as_well_when_nobody_wants_the_rest() -> None:
    stuck = Event()
    reading = Reading(opener(1, stuck), MOMENT)
    with reading.opened() as reader:
        next(iter(reader))
    assert reading.left_behind
    stuck.set()


def test_whoever_wants_no_more_waits_for_nothing() -> None:
    reading = Reading(opener(*range(1_000)), MINUTE)
    with reading.opened() as reader:
        next(iter(reader))
    assert not reading.left_behind


def test_an_error_is_raised_as_it_was() -> None:
    error = OSError("the disk is gone")
    with pytest.raises(OSError, match="the disk is gone") as raised:  # noqa: SIM117
        with Reading(opener(1, error), MINUTE).opened() as reader:
            reader.read_all()
    assert raised.value is error


def test_an_error_of_whoever_reads_stays_theirs() -> None:
    with pytest.raises(ZeroDivisionError), Reading(opener(1), MINUTE).opened() as reader:
        assert next(iter(reader)).num_rows / 0
