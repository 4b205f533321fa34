"""Calls to other systems: written down before, their result after; whatever is open stays so."""

import threading
from contextlib import suppress
from contextvars import Context
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.effects.effects import Effects
from engine.effects.faults import (
    EffectUnderWay,
    EffectUnknown,
    LeaseLost,
    NotDone,
    OtherRequest,
    ResultNotJson,
    UnclearCall,
)
from engine.states import RunState
from engine.store.database import Database, LedgerUnreachable
from engine.store.effect import Effect
from engine.store.effects import EffectStore
from engine.store.run import Claim
from engine.store.runs import RunStore
from engine.store.tables import runs as runs_table
from tests.builders.at_once import at_once
from tests.builders.booking import BROKEN, a_claim, a_run, let_leases_run_out


@pytest.fixture
def effects(database: Database) -> Effects:
    """Its effects."""
    return Effects(database)


@pytest.fixture
def claim(runs: RunStore) -> Claim:
    """The claim of an attempt under way."""
    return a_claim(runs)


class Gateway:
    """Does what it is asked, and may fail before or after."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.charged = 0

    def charge(self) -> Any:
        """One call."""
        answer = self.answers.pop(0)
        if isinstance(answer, NotDone):
            raise answer
        self.charged += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


def in_doubt(database: Database, run_id: int) -> int:
    """How many effects of the run are in doubt, as its row has it."""
    with database.read() as connection:
        query = select(runs_table.c.effects_in_doubt).where(runs_table.c.id == run_id)
        return int(connection.execute(query).scalar_one())


def effect_of(database: Database, claim: Claim) -> Effect:
    """The one effect of the claim's run."""
    (found,) = EffectStore(database).of_run(claim.run_id)
    return found


def test_a_call_that_returned_is_not_made_again(
    effects: Effects, claim: Claim, database: Database
) -> None:
    gateway = Gateway({"charge": 7})
    assert effects.once(claim, "order 1", {"amount": 500}, gateway.charge) == {"charge": 7}
    assert effects.once(claim, "order 1", {"amount": 500}, gateway.charge) == {"charge": 7}
    found = effect_of(database, claim)
    assert (found.state, found.result, found.attempt) == ("done", {"charge": 7}, 1)
    assert found.done_at is not None
    assert in_doubt(database, claim.run_id) == 0


def test_it_is_written_down_before_the_call(
    effects: Effects, claim: Claim, database: Database
) -> None:
    def look() -> tuple[str, int]:
        return effect_of(database, claim).state, in_doubt(database, claim.run_id)

    assert effects.once(claim, "order 1", None, look) == ["started", 1]


def test_what_a_call_raises_leaves_it_open_and_it_is_not_made_again(
    effects: Effects, claim: Claim, database: Database
) -> None:
    gateway = Gateway(TimeoutError("no answer"))
    with pytest.raises(TimeoutError):
        effects.once(claim, "order 1", None, gateway.charge)
    with pytest.raises(EffectUnknown, match="whether the effect 'order 1' happened is unknown"):
        effects.once(claim, "order 1", None, gateway.charge)
    assert gateway.charged == 1
    assert effect_of(database, claim).is_unknown
    assert in_doubt(database, claim.run_id) == 1


@pytest.mark.parametrize("call", [lambda: 7, lambda connection: 7])
def test_what_is_open_and_was_not_counted_is_counted_when_it_is_asked_for(
    effects: Effects, claim: Claim, database: Database, call: Any
) -> None:
    gateway = Gateway(TimeoutError("no answer"))
    with pytest.raises(TimeoutError):
        effects.once(claim, "order 1", None, gateway.charge)
    with database.begin() as connection:
        connection.execute(update(runs_table).values(effects_open=0, effects_in_doubt=0))
    with pytest.raises(EffectUnknown):
        effects.once(claim, "order 1", None, call)
    assert in_doubt(database, claim.run_id) == 1


def test_a_call_that_certainly_did_nothing_may_be_made_again(
    effects: Effects, claim: Claim, database: Database
) -> None:
    gateway = Gateway(NotDone("refused"), "charged")
    with pytest.raises(NotDone, match="refused"):
        effects.once(claim, "order 1", None, gateway.charge)
    assert (effect_of(database, claim).state, in_doubt(database, claim.run_id)) == ("not_done", 0)
    assert effects.once(claim, "order 1", None, gateway.charge) == "charged"
    assert gateway.charged == 1


def test_a_repeatable_call_is_made_again_and_never_in_doubt(
    effects: Effects, claim: Claim, database: Database
) -> None:
    gateway = Gateway(TimeoutError(), "charged before")
    with pytest.raises(TimeoutError):
        effects.once(claim, "order 1", None, gateway.charge, repeatable=True)
    assert in_doubt(database, claim.run_id) == 0
    assert effects.once(claim, "order 1", None, gateway.charge, repeatable=True) == "charged before"
    assert effect_of(database, claim).state == "done"


def test_a_call_that_did_nothing_says_nothing_of_the_one_before_it(
    effects: Effects, claim: Claim, database: Database
) -> None:
    gateway = Gateway(TimeoutError(), NotDone("closed for the night"), "charged before")
    for error in (TimeoutError, NotDone):
        with pytest.raises(error):
            effects.once(claim, "order 1", None, gateway.charge, repeatable=True)
        assert effect_of(database, claim).state == "started"
    assert EffectStore(database).open_of("order 1") == claim.run_id
    assert effects.once(claim, "order 1", None, gateway.charge, repeatable=True) == "charged before"
    assert EffectStore(database).open_of("order 1") is None


def test_a_repeatable_call_under_way_is_not_taken_from_the_run_that_makes_it(
    effects: Effects, claim: Claim, runs: RunStore, database: Database
) -> None:
    other = a_claim(runs, a_run(runs))

    def ask() -> None:
        with pytest.raises(EffectUnderWay):
            effects.once(other, "order 1", None, Gateway().charge, repeatable=True)

    def charge() -> str:
        # In a context of its own, as in another process.
        Context().run(ask)
        return "charged"

    assert effects.once(claim, "order 1", None, charge, repeatable=True) == "charged"
    assert effects.once(other, "order 1", None, Gateway().charge, repeatable=True) == "charged"
    assert effect_of(database, claim).state == "done"


def test_a_key_of_a_call_that_did_nothing_is_still_of_its_request(
    effects: Effects, claim: Claim
) -> None:
    with pytest.raises(NotDone):
        effects.once(claim, "order 1", {"amount": 5}, Gateway(NotDone()).charge)
    with pytest.raises(OtherRequest):
        effects.once(claim, "order 1", {"amount": 6}, Gateway().charge)


@pytest.mark.parametrize(("first", "then"), [(True, False), (False, True)])
def test_a_call_is_made_again_only_if_it_always_was_repeatable(
    effects: Effects, claim: Claim, first: bool, then: bool
) -> None:
    gateway = Gateway(TimeoutError())
    with pytest.raises(TimeoutError):
        effects.once(claim, "order 1", None, gateway.charge, repeatable=first)
    with pytest.raises(EffectUnknown):
        effects.once(claim, "order 1", None, gateway.charge, repeatable=then)


def test_another_request_under_the_same_key_is_an_error_whatever_came_of_the_first(
    effects: Effects, claim: Claim
) -> None:
    gateway = Gateway("charged", TimeoutError(), TimeoutError())
    effects.once(claim, "done", {"amount": 500}, gateway.charge)
    for key, repeatable in (("open", False), ("repeatable", True)):
        with pytest.raises(TimeoutError):
            effects.once(claim, key, {"amount": 500}, gateway.charge, repeatable=repeatable)
    for key, repeatable in (("done", False), ("open", False), ("repeatable", True)):
        with pytest.raises(OtherRequest, match=key):
            effects.once(claim, key, {"amount": 600}, gateway.charge, repeatable=repeatable)
    assert gateway.charged == 3


def test_an_attempt_without_its_lease_calls_nobody(
    effects: Effects, claim: Claim, database: Database
) -> None:
    let_leases_run_out(database)
    for repeatable in (True, False):
        with pytest.raises(LeaseLost):
            effects.once(claim, "order 1", None, Gateway().charge, repeatable=repeatable)
    assert EffectStore(database).of_run(claim.run_id) == []
    assert in_doubt(database, claim.run_id) == 0


def test_what_is_known_is_written_down_even_without_the_lease(
    effects: Effects, claim: Claim, runs: RunStore, database: Database
) -> None:
    def charge_slowly() -> str:
        let_leases_run_out(database)
        assert runs.rescue(runs.get(claim.run_id), BROKEN, None) is RunState.FAILED
        return "charged"

    with pytest.raises(LeaseLost):
        effects.once(claim, "order 1", None, charge_slowly)
    assert (effect_of(database, claim).state, effect_of(database, claim).result) == (
        "done",
        "charged",
    )
    assert in_doubt(database, claim.run_id) == 0
    assert runs.get(claim.run_id).review == "required"


@pytest.mark.parametrize("end", ["finish", "take_back"])
def test_what_is_known_is_written_down_as_soon_as_the_ledger_is_back(
    effects: Effects,
    claim: Claim,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    end: str,
) -> None:
    away = [LedgerUnreachable(url="ledger", error="away")] * 3
    known = getattr(EffectStore, end)

    def while_it_is_away(*arguments: Any) -> Any:
        if away:
            raise away.pop()
        return known(*arguments)

    monkeypatch.setattr(EffectStore, end, while_it_is_away)
    monkeypatch.setattr("engine.effects.effects._PAUSE", 0)
    gateway = Gateway("charged" if end == "finish" else NotDone())
    with suppress(NotDone):
        effects.once(claim, "order 1", None, gateway.charge)
    assert effect_of(database, claim).state == ("done" if end == "finish" else "not_done")
    assert (away, in_doubt(database, claim.run_id)) == ([], 0)


def test_a_result_that_is_not_json_leaves_it_open_for_the_call_was_made(
    effects: Effects, claim: Claim, database: Database
) -> None:
    with pytest.raises(ResultNotJson):
        effects.once(claim, "order 1", None, Gateway(object()).charge)
    assert effect_of(database, claim).is_unknown


def test_another_run_finds_the_key_done_open_or_under_way(
    effects: Effects, claim: Claim, runs: RunStore, database: Database
) -> None:
    other = a_claim(runs)
    gateway = Gateway("charged", TimeoutError())
    effects.once(claim, "done", None, gateway.charge)
    assert effects.once(other, "done", None, gateway.charge) == "charged"
    with pytest.raises(TimeoutError):
        effects.once(claim, "open", None, gateway.charge)
    with pytest.raises(EffectUnderWay, match=f"attempt 1 of run {claim.run_id}"):
        effects.once(other, "open", None, gateway.charge)
    runs.fail(claim, BROKEN)
    with pytest.raises(EffectUnknown, match=f"attempt 1 of run {claim.run_id}"):
        effects.once(other, "open", None, gateway.charge)
    assert in_doubt(database, other.run_id) == 0


def test_of_many_at_once_one_makes_the_call(
    effects: Effects, claim: Claim, runs: RunStore, database: Database
) -> None:
    others = [a_claim(runs, a_run(runs)) for _ in range(3)]
    made = threading.Semaphore(0)

    def charge() -> str:
        made.release()
        return "charged"

    def ask(by: Claim) -> Any:
        try:
            return effects.once(by, "order 1", None, charge)
        except (EffectUnderWay, EffectUnknown):
            return None

    answers = at_once(*[lambda by=by: ask(by) for by in (claim, *others, claim, *others)])
    assert set(answers) <= {"charged", None}
    assert made.acquire(blocking=False)
    assert not made.acquire(blocking=False)
    assert sum(in_doubt(database, by.run_id) for by in (claim, *others)) == 0


def test_values_that_a_call_keeps_for_itself_are_not_asked_for(
    effects: Effects, claim: Claim
) -> None:
    calls = [lambda number=number: number for number in range(3)]
    assert [effects.once(claim, f"order {n}", n, call) for n, call in enumerate(calls)] == [0, 1, 2]


async def charge_some_day() -> None:
    """Is not called by calling it."""


@pytest.mark.parametrize(
    ("call", "more", "why"),
    [
        (lambda a, b: None, {}, "takes one argument"),
        (lambda *, a: None, {}, "takes one argument"),
        (charge_some_day, {}, "coroutine"),
        (lambda _: None, {"repeatable": True}, "only a call of something else"),
        (lambda: None, {"database": "shop"}, "takes a connection"),
    ],
)
def test_what_can_be_understood_in_two_ways_is_refused(
    effects: Effects, claim: Claim, database: Database, call: Any, more: dict[str, Any], why: str
) -> None:
    with pytest.raises(UnclearCall, match=why):
        effects.once(claim, "order 1", None, call, **more)
    assert EffectStore(database).of_run(claim.run_id) == []


def test_an_effect_within_another_one_is_refused(
    effects: Effects, claim: Claim, database: Database
) -> None:
    def both(_: Any) -> Any:
        return effects.once(claim, "inner", None, Gateway("charged").charge)

    with pytest.raises(UnclearCall, match="within the effect 'outer'"):
        effects.once(claim, "outer", None, both)
    assert EffectStore(database).of_run(claim.run_id) == []


def test_the_store_says_what_came_of_each(
    effects: Effects, claim: Claim, database: Database
) -> None:
    store = EffectStore(database)
    assert store.start(claim, "a", "hash", repeatable=False) is None
    assert store.start(claim, "b", "hash", repeatable=False) is None
    assert in_doubt(database, claim.run_id) == 2
    effect, is_held = store.finish(claim, "a", 5)
    assert (effect.state, effect.result, is_held) == ("done", 5, True)
    store.take_back(claim, "b")
    store.take_back(claim, "a")
    assert [each.state for each in store.of_run(claim.run_id)] == ["done", "not_done"]
    assert in_doubt(database, claim.run_id) == 0
