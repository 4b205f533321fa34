"""The sentences at the end of an attempt."""

from datetime import timedelta

import pytest

from engine.attempt import endings

MIB = 1024 * 1024


def test_a_limit_is_said_in_the_unit_it_was_given_in() -> None:
    binary = endings.memory_limit_exceeded(200 * MIB, 312 * MIB).text
    decimal = endings.memory_limit_exceeded(200_000_000, 200_000_001).text
    assert binary.endswith("200 MiB was exceeded: the attempt's processes used 312 MiB")
    assert decimal.endswith("200 MB was exceeded: the attempt's processes used 201 MB")


@pytest.mark.parametrize(
    ("killed", "others", "sentence"),
    [
        (True, 0, "the time limit of 5 s passed; the attempt was killed"),
        (True, 1, "the time limit of 5 s passed; the attempt and 1 other process were killed"),
        (True, 2, "the time limit of 5 s passed; the attempt and 2 other processes were killed"),
        (False, 0, "the time limit of 5 s passed; the attempt stopped"),
        (
            False,
            2,
            "the time limit of 5 s passed; the attempt stopped and 2 other processes were killed",
        ),
    ],
)
def test_a_verdict_says_what_it_took(killed: bool, others: int, sentence: str) -> None:
    verdict = endings.time_limit_passed(timedelta(seconds=5))
    assert endings.verdict_sentence(verdict, killed=killed, others=others) == sentence


def test_a_crash_names_the_signal() -> None:
    assert endings.crash_sentence(None, 11, others=0) == "killed by signal 11 (SIGSEGV)"
    assert "memory" in endings.crash_sentence(None, 9, others=0)
    assert endings.crash_sentence(None, 40, others=0).endswith("(a real-time signal)")
