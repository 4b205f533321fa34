"""Opening: what a job is given, and what of it is hidden in all that its attempt says."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.authoring import Personal, job
from engine.execution.discreet import DiscreetAttempts
from engine.execution.executor import OnLines, OnProgress
from engine.execution.opening import Opening
from engine.execution.orders import AttemptEnd, Cause, Line, Order, Progress, Stream
from engine.hiding import Hiding
from engine.redaction.known import Secrets
from engine.redaction.own import hidden_here
from engine.sealing import Keys, Sealer, UnknownKey
from engine.secret_references import NoSuchSecret, SecretSource, filled, is_reference
from engine.store.sealed_params import ErasedParams, SealedRun, ToSeal
from tests.builders.orders import an_order

KEYS = Keys.parse("k" * 32)
BOUND = SealedRun(reference="RC-1", job="pay")
SOURCE = SecretSource(folder=None, variables={"ENGINE_SECRET_VAR_api": "key-of-api"})
OPENING = Opening(keys=lambda: KEYS, secrets=lambda: SOURCE)


def a_payload(params: Mapping[str, Any], **hidden: Any) -> dict[str, Any]:
    """What an order says of a run with these shown parameters, and these hidden ones."""
    sealed = BOUND.seal(ToSeal(hidden, Sealer(KEYS)))
    return {"reference": "RC-1", "job": "pay", "params": params, "sealed": sealed}


def test_a_job_is_given_what_is_sealed_and_what_is_referred_to() -> None:
    shown = {"token": "***", "url": "x?key=${secret:api}", "n": 1, "plain": "$${secret:api}"}
    payload = a_payload(shown, token="a ${secret:api}")
    assert OPENING.params(payload) == {
        "token": "a key-of-api",
        "url": "x?key=key-of-api",
        "n": 1,
        "plain": "${secret:api}",
    }


def test_what_was_erased_is_not_guessed() -> None:
    payload = a_payload({"token": "***", "note": "to *** now", "n": 1})
    with pytest.raises(ErasedParams, match=r"RC-1: .* \(token, note\)"):
        OPENING.params(payload)
    assert OPENING.texts(payload) == []


def test_what_cannot_be_opened_is_an_error_of_the_attempt_and_nothing_to_hide() -> None:
    payload = a_payload({"token": "***"}, token="hush")
    other = Opening(keys=lambda: Keys.parse("o" * 32), secrets=lambda: SOURCE)
    with pytest.raises(UnknownKey):
        other.params(payload)
    assert other.texts(payload) == []


def test_a_secret_that_is_not_there_is_an_error_of_the_attempt() -> None:
    payload = a_payload({"token": "${secret:gone}"})
    with pytest.raises(NoSuchSecret):
        OPENING.params(payload)
    assert OPENING.texts(payload) == []


@pytest.mark.parametrize(
    ("shown", "value", "texts"),
    [
        ("***", "hush", ["hush"]),
        ("***", 739154, ["739154"]),
        ("***", {"pin": 1234, "on": True, "to": ["a", None]}, ["1234", "a"]),
        ("to *** and ***, soon", "to a@b.co and c@d.co, soon", ["a@b.co", "c@d.co"]),
        ({"n": 7, "pin": "***"}, {"n": 7, "pin": "1234"}, ["1234"]),
        ({"***": 7}, {"a@b.co": 7, "n": "x"}, ["7", "x"]),
        (["a", "***"], ["a", "b@c.co"], ["b@c.co"]),
        ("***", "-----BEGIN\nline one\nx", ["-----BEGIN\nline one\nx", "-----BEGIN", "line one"]),
        ("was ***", "differently said", ["differently said"]),
    ],
)
def test_what_the_masks_stand_for_is_known(shown: Any, value: Any, texts: list[str]) -> None:
    assert OPENING.texts(a_payload({"p": shown}, p=value)) == texts


def test_what_is_referred_to_is_known_too() -> None:
    payload = a_payload({"a": "${secret:api}", "b": "***"}, b="x${secret:api}")
    assert set(OPENING.texts(payload)) == {"key-of-api", "x${secret:api}"}


def test_nothing_is_opened_where_nothing_is_hidden() -> None:
    def no_keys() -> Keys:
        raise AssertionError

    opening = Opening(keys=no_keys, secrets=lambda: SOURCE)
    payload = a_payload({"n": 1})
    assert opening.params(payload) == {"n": 1}
    assert opening.texts(payload) == []


class Telling:
    """Attempts that repeat what they were given in every way there is."""

    def __init__(self) -> None:
        self.printed = ""

    def run(self, order: Order, *, on_lines: OnLines, on_progress: OnProgress) -> AttemptEnd:
        """Say it, and return it."""
        self.printed = hidden_here("hush-hush 739154 of-settings")
        on_lines([Line(datetime.now(UTC), Stream.STDOUT, "hush-hush, key-of-api")])
        on_progress(Progress(id=order.id, done=1, note="of-settings"))
        result = {"list": ["hush-hush", 739154, 7, True], "n": {"x": 739154}}
        return AttemptEnd(id=order.id, cause=Cause.FINISHED, outcome={"result": result})


def test_an_attempt_says_nothing_of_its_own_secrets() -> None:
    shown = {"token": "***", "pin": "***", "key": "${secret:api}"}
    payload = a_payload(shown, token="hush-hush", pin=739154)
    telling, lines, notes = Telling(), list[Line](), list[Progress]()
    attempts = DiscreetAttempts(attempts=telling, passwords=["of-settings"], opening=OPENING)
    end = attempts.run(an_order("x", **payload), on_lines=lines.extend, on_progress=notes.append)
    assert [line.text for line in lines] == ["***, ***"]
    assert [each.note for each in notes] == ["***"]
    assert telling.printed == "*** *** ***"
    assert end.outcome == {"result": {"list": ["***", "***", 7, True], "n": {"x": "***"}}}
    assert hidden_here("hush-hush") == "hush-hush"


def test_attempts_without_secrets_of_their_own_hide_those_of_the_settings() -> None:
    telling, lines = Telling(), list[Line]()
    attempts = DiscreetAttempts(attempts=telling, passwords=["of-settings"], opening=OPENING)
    end = attempts.run(
        an_order("x", **a_payload({})), on_lines=lines.extend, on_progress=lambda _: None
    )
    assert [line.text for line in lines] == ["hush-hush, key-of-api"]
    assert end.outcome["result"]["n"] == {"x": 739154}
    assert telling.printed == "hush-hush 739154 ***"


@job()
def pay(
    context: Any, *, token: str, note: str, more: dict[str, Any], phone: Personal[Any], n: int = 0
) -> None:
    """Everything that may hide something."""


secret_texts = st.sampled_from(
    ["a@example.com", "pin=1234", "4111 1111 1111 1111", "***", "${secret:api}", "$${secret:api}"]
)
texts = st.lists(secret_texts | st.text(max_size=6), max_size=3).map("".join)
data = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(token=texts, note=texts, more=st.dictionaries(texts, data, max_size=3), phone=data)
def test_whatever_is_booked_is_what_the_job_is_given(
    token: str, note: str, more: dict[str, Any], phone: Any
) -> None:
    given_ = {"token": token, "note": note, "more": more, "phone": phone, "n": 7}
    booked = Hiding(lambda: KEYS).booked(pay, given_)
    sealed = BOUND.seal(booked.to_seal) if booked.to_seal else {}
    payload = {"reference": "RC-1", "job": "pay", "params": booked.shown, "sealed": sealed}
    assert OPENING.params(payload) == filled(given_, SOURCE.get)
    # What looks like a secret is the business of others; what is called one is hidden whole.
    assert booked.shown["token"] in ("***", "${secret:api}")
    assert booked.shown["phone"] in ("***", "${secret:api}", None)
    hide = Secrets(OPENING.texts(payload)).hidden_in
    if len(token) > 3 and not is_reference(token):
        assert hide(f"<{token}>") != f"<{token}>" or set(token) <= {"*"}
