"""Jobs: parameters are checked against the signature before a run is booked."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, Field

from engine.job import Job, JobDefaults, job
from engine.retry import RetryPolicy
from engine.signature import InvalidJob, InvalidParams, ReconciliationName


class Side(StrEnum):
    """Where to look."""

    LEFT = "left"
    RIGHT = "right"


@job()
def trial(
    context: Any,
    *,
    definition: ReconciliationName,
    as_of: AwareDatetime | date | None = None,
    rows: int = 7,
    share: float = 0.5,
    amount: Decimal = Decimal(0),
    side: Side = Side.LEFT,
    mode: Literal["fast", "safe"] = "safe",
    dry: bool = False,
    formats: list[str] | None = None,
    limit: Annotated[int, Field(ge=1, description="a number from 1 on")] = 5,
) -> None:
    """Try everything.

    More is said here.
    """


def problems(params: dict[str, Any], tried: Job = trial) -> dict[str, str]:
    """What is wrong with the params, by name."""
    with pytest.raises(InvalidParams) as caught:
        tried.validate(params)
    found: Any = caught.value.facts["problems"]
    return dict(found)


def test_a_job_is_named_after_its_function_and_described_by_its_first_line() -> None:
    assert (trial.name, trial.summary, trial.queue) == ("trial", "Try everything.", "default")
    assert list(trial.params)[:3] == ["definition", "as_of", "rows"]
    assert job(name="other")(trial.function).name == "other"


def test_params_say_what_they_are() -> None:
    definition, as_of, rows = list(trial.params.values())[:3]
    assert (definition.required, definition.kind) == (True, "reconciliation")
    assert definition.type_text == "the name of a reconciliation"
    assert (as_of.required, as_of.default, as_of.kind) == (False, None, None)
    assert as_of.type_text == (
        "an instant with its zone (2026-01-31T06:30:00+03:00) or a date (2026-01-31)"
    )
    assert (rows.type_text, rows.default) == ("a whole number", 7)


def test_an_optional_name_is_still_the_name_of_something() -> None:
    def work(context: Any, *, definition: ReconciliationName | None = None) -> None: ...

    assert Job(name="x", function=work).params["definition"].kind == "reconciliation"


def test_words_from_the_command_line_become_values_and_back() -> None:
    stored = trial.validate(
        {
            "definition": "wallets",
            "as_of": "2026-11-24",
            "rows": "12",
            "amount": "1.50",
            "side": "right",
            "mode": "fast",
            "dry": "yes",
            "formats": ["csv"],
        }
    )
    assert stored == {
        "definition": "wallets",
        "as_of": "2026-11-24",
        "rows": 12,
        "amount": "1.50",
        "side": "right",
        "mode": "fast",
        "dry": True,
        "formats": ["csv"],
    }
    assert trial.arguments(stored) == stored | {
        "as_of": date(2026, 11, 24),
        "amount": Decimal("1.50"),
        "side": Side.RIGHT,
    }


def test_defaults_are_not_stored_so_that_they_may_change() -> None:
    assert trial.validate({"definition": "wallets"}) == {"definition": "wallets"}
    assert trial.arguments({"definition": "wallets"}) == {"definition": "wallets"}


def test_an_instant_keeps_its_zone() -> None:
    stored = trial.validate({"definition": "w", "as_of": "2026-11-24T02:00:00+03:00"})
    instant = trial.arguments(stored)["as_of"]
    assert isinstance(instant, datetime)
    assert instant.utcoffset() == timedelta(hours=3)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("as_of", "yesterdy", "'yesterdy' is not allowed; expected an instant with its zone"),
        ("as_of", "2026-11-24T02:00:00", "'2026-11-24T02:00:00' is not allowed"),
        ("rows", "many", "'many' is not allowed; expected a whole number"),
        ("rows", 1.5, "1.5 is not allowed; expected a whole number"),
        ("share", "nan", "'nan' is not allowed; expected a number"),
        ("share", float("inf"), "inf is not allowed"),
        ("dry", "perhaps", "'perhaps' is not allowed; expected true or false"),
        ("mode", "slow", "'slow' is not allowed; expected 'fast' or 'safe'"),
        ("limit", 0, "0 is not allowed; expected a number from 1 on"),
        ("definition", None, "None is not allowed"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: Any, message: str) -> None:
    assert problems({"definition": "wallets"} | {name: value})[name].startswith(message)


def test_every_problem_is_said_at_once() -> None:
    assert problems({"defintion": "wallets", "rows": "x"}) == {
        "definition": "required (the name of a reconciliation)",
        "rows": "'x' is not allowed; expected a whole number",
        "defintion": "no such parameter; did you mean 'definition'? allowed: "
        + ", ".join(trial.params),
    }


def test_a_job_without_parameters_says_so() -> None:
    bare = Job(name="bare", function=lambda context: None)
    assert bare.validate({}) == {}
    assert problems({"x": 1}, bare) == {"x": "no such parameter; allowed: none"}


def test_parameters_may_have_any_name() -> None:
    def work(
        context: Any, *, schema: str, copy: int = 1, json: str = "", model_x: str = "", _y: int = 2
    ) -> None: ...

    awkward = Job(name="awkward", function=work)
    assert awkward.validate({"schema": "public", "_y": "3"}) == {"schema": "public", "_y": 3}


def no_context() -> None: ...
def keyword_context(*, context: Any) -> None: ...
def many_values(context: Any, *values: int) -> None: ...
def many_names(context: Any, **names: int) -> None: ...
def nameless(context: Any, rows: int, /) -> None: ...


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (no_context, "its first parameter must be the context"),
        (keyword_context, "its first parameter must be the context"),
        (many_values, "its parameters must have names"),
        (many_names, "its parameters must have names"),
        (nameless, "its parameters must have names"),
    ],
)
def test_a_function_that_cannot_be_called_is_no_job(
    function: Callable[..., Any], text: str
) -> None:
    with pytest.raises(InvalidJob, match=text):
        job()(function)


@pytest.mark.parametrize(
    ("policies", "text"),
    [
        ({"queue": "Pay-outs"}, r"queue 'Pay-outs' must match \[a-z0-9_\]\+"),
        ({"retry": RetryPolicy(attempts=0)}, "it needs at least one attempt"),
        ({"isolated": False, "memory_limit": 1}, "a memory limit needs isolated=True"),
    ],
)
def test_policies_that_cannot_work_are_refused(policies: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidJob, match=text):
        job(**policies)(trial.function)


def test_a_workers_defaults_are_for_what_a_job_does_not_declare() -> None:
    told = JobDefaults(attempts=7, waits=(timedelta(seconds=5),), time_limit=timedelta(seconds=90))

    @job()
    def silent(context: Any) -> None: ...

    @job(retry=RetryPolicy(attempts=2), time_limit=timedelta(hours=1))
    def outspoken(context: Any) -> None: ...

    @job(retry=RetryPolicy(first_wait=timedelta(seconds=1)), time_limit=None)
    def endless(context: Any) -> None: ...

    def policies(each: Job) -> tuple[int, timedelta, timedelta | None]:
        return each.attempts, each.retry.wait_after(1), each.time_limit

    five, hour = timedelta(seconds=5), timedelta(hours=1)
    assert policies(silent.with_defaults(told)) == (7, five, timedelta(seconds=90))
    assert policies(outspoken.with_defaults(told)) == (2, five, hour)
    assert policies(endless.with_defaults(told)) == (7, timedelta(seconds=1), None)
    unbounded = JobDefaults(time_limit=timedelta())
    assert silent.with_defaults(unbounded).time_limit is None
    assert outspoken.with_defaults(unbounded).time_limit == hour
    for each in (silent, outspoken, endless):
        assert policies(each.with_defaults(JobDefaults())) == policies(each)
