"""Hiding: what of a run's parameters is shown, what is sealed, and what tells runs apart."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest

from engine.authoring import Identifier, Personal, ReconciliationName, Secret, job
from engine.hiding import Hiding, parted
from engine.job import Job
from engine.sealing import Keys, MissingKey
from engine.signature import InvalidJob, InvalidParams

HIDING = Hiding(lambda: Keys.parse("k" * 32))
CARD = "4111 1111 1111 1111"
MAIL = "sara@example.com"
PERSON = "1023456784"  # a national id by its last digit


class Colour(Enum):
    """No text."""

    RED = "red"


def no_keys() -> Keys:
    """As with a ledger on PostgreSQL."""
    raise MissingKey


def job_of(function: Any, **policies: Any) -> Job:
    """The function as a job."""
    return job(**policies)(function)


@job()
def pay(
    context: Any,
    *,
    wallet: str = "",
    token: str | None = None,
    phone: Personal[str] = "",
    card: Secret[dict[str, Any]] | None = None,
    count: Secret[int] = 0,
    note: str = "",
    more: dict[str, Any] | None = None,
    lines: list[str] | None = None,
    amount: Decimal = Decimal(0),
    minor: int = 0,
    on: date | None = None,
    colour: Colour = Colour.RED,
    mode: Literal["1023456784"] | None = None,
    definition: ReconciliationName = "",
    with_token: bool = False,
) -> None:
    """Everything there is."""


@job()
def settle(
    context: Any,
    *,
    payee: Identifier,
    others: list[Identifier],
    at: Identifier | None = None,
    token: Identifier = "",
) -> None:
    """Ids of things that are called otherwise."""


def shown_and_hidden(params: Mapping[str, Any]) -> tuple[Any, Any]:
    """What becomes of valid parameters."""
    return parted(pay, pay.validate(params))


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({"phone": "0551234567"}, {"phone": "***"}),
        ({"phone": "Sara"}, {"phone": "***"}),
        ({"token": "hush"}, {"token": "***"}),
        ({"card": {"cvv": "123"}}, {"card": "***"}),
        ({"count": 7}, {"count": "***"}),
        ({"note": f"for {MAIL}, soon"}, {"note": "for ***, soon"}),
        ({"note": f"with {CARD}"}, {"note": "with ***"}),
        ({"more": {"password": "hush", "n": 1}}, {"more": {"password": "***", "n": 1}}),
        ({"more": {"a": [MAIL, "b"]}}, {"more": {"a": ["***", "b"]}}),
        ({"lines": ["a", MAIL]}, {"lines": ["a", "***"]}),
        ({"note": "a *** b"}, {"note": "a *** b"}),
        ({"note": "token=${secret:one}, pin=1234"}, {"note": "token=${secret:one}, pin=***"}),
        ({"token": "x${secret:one}"}, {"token": "***"}),
    ],
)
def test_what_is_secret_or_personal_is_sealed_and_its_mask_shown(params: Any, shown: Any) -> None:
    assert shown_and_hidden(params) == (shown, params)


@pytest.mark.parametrize(
    "params",
    [
        {"wallet": PERSON},
        {"amount": Decimal(PERSON)},
        {"minor": int(PERSON)},
        {"on": "2026-01-31"},
        {"colour": "red"},
        {"mode": PERSON},
        {"definition": "wallets"},
        {"note": "pay the wallets"},
        {"token": None},
        {"token": "${secret:one}"},
        {"phone": "${secret:one}"},
        {"count": "${secret:one}"},
        {"with_token": True},
    ],
)
def test_money_identifiers_names_and_references_are_shown(params: Any) -> None:
    shown, hidden = shown_and_hidden(params)
    assert {name: str(value) for name, value in shown.items()} == {
        name: str(value) for name, value in params.items()
    }
    assert hidden == {}


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({"note": "KeySecret9"}, {"note": "***"}),
        ({"note": "of KeySecret9!"}, {"note": "of ***!"}),
        ({"wallet": "KeySecret9"}, {"wallet": "***"}),
        ({"more": {"a": ["KeySecret9", 1]}}, {"more": {"a": ["***", 1]}}),
        ({"lines": ["a", "KeySecret9"]}, {"lines": ["a", "***"]}),
    ],
)
def test_a_text_that_repeats_what_is_sealed_beside_it_is_hidden_as_well(
    params: Any, shown: Any
) -> None:
    params = {"token": "KeySecret9", **params}
    assert shown_and_hidden(params) == ({"token": "***", **shown}, params)


@pytest.mark.parametrize(
    ("secret", "beside"),
    [
        ("abc", {"note": "abc"}),
        ("hush", {"note": "hush, hush"}),
        ("10050", {"minor": 10050, "amount": Decimal(10050)}),
        ("wallets", {"definition": "wallets"}),
        ("${secret:one}", {"note": "${secret:one}"}),
    ],
)
def test_short_words_numbers_and_names_are_shown_beside_an_equal_secret(
    secret: str, beside: Any
) -> None:
    shown, _ = shown_and_hidden({"token": secret, **beside})
    assert {name: shown[name] for name in beside} == pay.validate(beside)


def test_what_tells_runs_apart_is_the_same_beside_any_secret() -> None:
    once = job_of(with_token, unique_by=("shop",), concurrency=1, limit_by=("shop",))
    keys = {
        (booked.unique_key, booked.limit_key)
        for token in ("KeySecret9", "another1")
        for booked in [HIDING.booked(once, {"token": token, "shop": "KeySecret9"})]
    }
    assert len(keys) == 1


def test_parameters_that_no_job_takes_are_hidden_by_their_names_and_looks() -> None:
    given = {"api_key": "hush", "other": MAIL, "size": Decimal("0.1")}
    assert parted(pay, given)[0] == {"api_key": "***", "other": "***", "size": Decimal("0.1")}


def test_what_is_hidden_is_sealed_with_the_values_as_they_are() -> None:
    booked = HIDING.booked(pay, pay.validate({"token": "hush", "minor": 7}))
    assert booked.shown == {"token": "***", "minor": 7}
    assert booked.to_seal is not None
    assert booked.to_seal.values == {"token": "hush"}
    assert "hush" not in repr(booked)


def test_no_key_is_asked_for_where_nothing_is_hidden() -> None:
    assert Hiding(no_keys).booked(pay, {"minor": 7}).to_seal is None
    with pytest.raises(MissingKey):
        Hiding(no_keys).booked(pay, {"token": "hush"})


def with_token(context: Any, *, token: str, shop: str) -> None:
    """Its token is a secret by its name."""


def with_phone(context: Any, *, phone: Personal[str], shop: str) -> None:
    """Its phone is personal by its type."""


@pytest.mark.parametrize(("function", "name"), [(with_token, "token"), (with_phone, "phone")])
@pytest.mark.parametrize("policy", ["unique_by", "limit_by"])
def test_runs_cannot_be_told_apart_by_what_is_sealed(function: Any, name: str, policy: str) -> None:
    with pytest.raises(InvalidJob, match=f"'{name}', which is sealed"):
        job_of(function, rate="1/s", **{policy: ("shop", name)})
    job_of(function, rate="1/s", **{policy: ("shop",)})


def by_customer(context: Any, *, customer: str) -> None:
    """People may write an address there, or a number of ours."""


def test_keys_tell_hidden_texts_apart_and_nothing_of_them() -> None:
    each = job_of(by_customer, unique_by=("customer",), limit_by=("customer",), concurrency=1)
    one, again, other = (
        HIDING.booked(each, {"customer": text}) for text in (MAIL, MAIL, f"b{MAIL}")
    )
    assert one.shown == other.shown == {"customer": "***"}
    for name in ("unique_key", "limit_key"):
        assert getattr(one, name) == getattr(again, name) != getattr(other, name)
        elsewhere = Hiding(lambda: Keys.parse("o" * 32)).booked(each, {"customer": MAIL})
        assert getattr(one, name) != getattr(elsewhere, name)


def test_a_run_stays_in_the_group_that_it_was_booked_in() -> None:
    each = job_of(by_customer, limit_by=("customer",), concurrency=1)
    booked = HIDING.booked(each, {"customer": MAIL})
    group = each.group_of(booked.shown, booked.limit_key)
    assert group is not None
    assert group.key == booked.limit_key
    plain = each.group_of({"customer": "7"}, "what it was before the job changed")
    assert plain == each.group_of({"customer": "7"})


@pytest.mark.parametrize(
    ("params", "secret"),
    [
        ({"count": "hush"}, "hush"),
        ({"token": ["hush"]}, "hush"),
        ({"card": "hush"}, "hush"),
        ({"minor": MAIL}, MAIL),
        ({"on": f"password={MAIL}"}, MAIL),
    ],
)
def test_a_value_that_is_not_allowed_is_not_repeated(params: Any, secret: str) -> None:
    with pytest.raises(InvalidParams) as refused:
        pay.validate(params)
    assert secret not in str(refused.value)
    assert secret not in str(refused.value.facts)
    assert next(iter(params)) in str(refused.value)


def test_a_reference_is_checked_when_the_attempt_has_the_secret() -> None:
    stored = pay.validate({"count": "${secret:n}", "minor": 7})
    assert stored == {"count": "${secret:n}", "minor": 7}
    with pytest.raises(InvalidParams, match="count: this value is not allowed"):
        pay.arguments({"count": "hush"})


def test_other_parameters_are_checked_beside_a_reference() -> None:
    with pytest.raises(InvalidParams, match="minor"):
        pay.validate({"token": "${secret:n}", "minor": "x"})
    with pytest.raises(InvalidParams, match="tokn: no such parameter"):
        pay.validate({"tokn": "${secret:n}"})
    with pytest.raises(InvalidParams, match="shop: required"):
        job_of(with_token).validate({"token": "${secret:n}"})


def test_people_see_which_parameters_are_sealed() -> None:
    assert pay.params["phone"].type_text == "text, personal"
    assert pay.params["count"].sealed == "secret"
    assert pay.params["token"].sealed == "secret"
    assert pay.params["note"].sealed is None


def test_an_identifier_is_shown_though_it_looks_like_somebodys() -> None:
    params = {"payee": PERSON, "others": [PERSON, "0551234567"], "at": CARD, "token": "d-7"}
    assert parted(settle, settle.validate(params)) == (params, {})
