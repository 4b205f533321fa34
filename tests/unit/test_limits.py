"""Limits: rates are read, declarations checked, and keys made that show no value."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import pytest

from engine.job import Job, job
from engine.limits import LimitGroup, Limits, Rate, key_of
from engine.signature import InvalidJob


@pytest.mark.parametrize(
    ("text", "starts", "per"),
    [
        ("1/s", 1, timedelta(seconds=1)),
        ("60/m", 60, timedelta(minutes=1)),
        ("9999999/h", 9_999_999, timedelta(hours=1)),
    ],
)
def test_a_rate_is_read_and_written(text: str, starts: int, per: timedelta) -> None:
    assert Rate.parse(text) == Rate(starts, per)
    assert str(Rate.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "60", "/m", "60/", "0/m", "-1/m", "06/m", "1.5/s", "60/M", "60/min", "60 / m"),
        *(" 60/m", "60/m ", "60/m\n", "60/d", "10000000/h", "٦٠/m"),
    ],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not like '10/s', '60/m' or '500/h'"):
        Rate.parse(text)


class Side(StrEnum):
    """Where to look."""

    LEFT = "left"
    RIGHT = "right"


def post(
    context: Any,
    *,
    wallet_id: int,
    day: date = date(2026, 11, 24),
    side: Side = Side.LEFT,
    share: float = 1,
    limit: int = None,  # type: ignore[assignment]  # noqa: RUF013 - as jobs are written
) -> None:
    """Post fees."""


def declared(**limits: Any) -> Job:
    return job(**limits)(post)


def problem(**limits: Any) -> str:
    with pytest.raises(InvalidJob) as caught:
        declared(**limits)
    return str(caught.value).removeprefix("job 'post': ")


def test_a_job_without_limits_has_no_keys() -> None:
    plain = declared()
    assert plain.unique_key({"wallet_id": 7}) is None
    assert plain.group_of({"wallet_id": 7}) is None
    assert plain.limits == Limits()
    assert plain.priority == 0


def test_unique_by_nothing_means_the_job_alone() -> None:
    key = declared(unique_by=()).unique_key({"wallet_id": 7})
    assert key is not None
    assert key == declared(unique_by=()).unique_key({"wallet_id": 8})
    assert key != job(name="other", unique_by=())(post).unique_key({"wallet_id": 7})


def test_keys_differ_by_the_named_parameters_only() -> None:
    tried = declared(unique_by=("wallet_id", "day"))
    key = tried.unique_key({"wallet_id": 7, "day": "2026-11-01"})
    assert key == tried.unique_key({"day": "2026-11-01", "side": "right", "wallet_id": 7})
    assert key == declared(unique_by=("day", "wallet_id")).unique_key(
        {"wallet_id": 7, "day": "2026-11-01"}
    )
    assert key != tried.unique_key({"wallet_id": 7, "day": "2026-11-02"})
    assert key != tried.unique_key({"wallet_id": 8, "day": "2026-11-01"})


def test_a_default_that_is_left_out_is_the_same_as_one_that_is_given() -> None:
    tried = declared(unique_by=("day", "side", "share", "limit"))
    given = {"day": "2026-11-24", "side": Side.LEFT, "share": 1.0}
    stored = tried.validate({"wallet_id": 7, **given})
    assert tried.unique_key({"wallet_id": 7}) == tried.unique_key(stored)


def test_a_key_shows_no_value() -> None:
    key = key_of("post", {"wallet_id": "SA4420000001234567891234"})
    assert len(key) == 32
    assert set(key) <= set("0123456789abcdef")


def test_runs_are_limited_by_job_or_by_key() -> None:
    of_all = declared(concurrency=2, rate="60/m")
    limits = Limits(concurrency=2, rate=Rate(60, timedelta(minutes=1)))
    group = of_all.group_of({"wallet_id": 7})
    assert (
        group
        == of_all.group_of({"wallet_id": 8})
        == LimitGroup(key=key_of("post", {}), limits=limits)
    )
    each = declared(concurrency=2, limit_by=("wallet_id",))
    assert each.group_of({"wallet_id": 7}) != each.group_of({"wallet_id": 8})
    assert each.group_of({"wallet_id": 7}) == each.group_of({"wallet_id": 7, "share": 0.5})


def test_params_of_an_older_version_of_the_job_have_a_key_too() -> None:
    assert declared(unique_by=("wallet_id",)).unique_key({}) is not None


@pytest.mark.parametrize("field", ["unique_by", "limit_by"])
def test_names_are_checked_against_the_signature(field: str) -> None:
    text = problem(concurrency=1, **{field: ("walet_id", "context")})
    assert text == (
        f"{field} names 'walet_id', which is no parameter; did you mean 'wallet_id'? "
        "parameters: wallet_id, day, side, share, limit; "
        f"{field} names 'context', which is no parameter; "
        "parameters: wallet_id, day, side, share, limit"
    )


@pytest.mark.parametrize("names", ["wallet_id", ["wallet_id"], (7,)])
def test_names_are_a_tuple(names: object) -> None:
    wanted = "unique_by must be a tuple of parameters' names, like ('wallet_id',), not "
    assert problem(unique_by=names) == wanted + repr(names)


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"on_duplicate": "refuse"}, "on_duplicate needs unique_by"),
        ({"unique_by": (), "on_duplicate": "skip"}, "on_duplicate 'skip' is neither 'return' nor"),
        ({"concurrency": 0}, "concurrency 0 is not a whole number of at least 1"),
        ({"concurrency": True}, "concurrency True is not a whole number"),
        ({"concurrency": 1.5}, "concurrency 1.5 is not a whole number"),
        ({"rate": "60"}, "rate '60' is not like '10/s'"),
        ({"rate": 60}, "rate 60 is not like '10/s'"),
        ({"limit_by": ("wallet_id",)}, "limit_by needs concurrency or rate"),
        ({"priority": 1001}, "priority 1001 is not a whole number from -1000 to 1000"),
        ({"priority": "high"}, "priority 'high' is not a whole number"),
    ],
)
def test_what_cannot_work_is_said_when_the_job_is_declared(
    limits: dict[str, Any], text: str
) -> None:
    assert problem(**limits).startswith(text)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert len(problem(unique_by=("x",), concurrency=0, rate="?", priority=5000).split("; ")) == 5


def test_quoted_annotations_are_not_looked_at_when_a_job_is_declared() -> None:
    def later(context: Any, *, wallet_id: "NotYetThere") -> None:  # type: ignore[name-defined]  # noqa: F821
        """Typed by what is imported later."""

    limited = job(unique_by=("wallet_id",), concurrency=1, limit_by=("wallet_id",))(later)
    assert limited.unique_key({"wallet_id": 7}) is not None
