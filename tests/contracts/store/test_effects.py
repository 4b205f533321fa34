"""Effects: work in the ledger's database happens once, with its key and its result."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from engine.effects.effects import Effects
from engine.effects.faults import (
    EffectUnderWay,
    EffectUnknown,
    EndedTransaction,
    LeaseLost,
    OtherRequest,
    ResultNotJson,
)
from engine.effects.request import hash_of
from engine.states import RunState
from engine.store.database import Database
from engine.store.effects import begin_effect
from engine.store.key import UnusableKey
from engine.store.run import Claim
from engine.store.runs import RunStore
from tests.builders.booking import a_claim, let_leases_run_out
from tests.contracts.store.test_outside_effects import in_doubt


@pytest.fixture(autouse=True)
def table(database: Database) -> None:
    """A table for the work."""
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE postings (amount INTEGER)"))


@pytest.fixture
def effects(database: Database) -> Effects:
    """Its effects."""
    return Effects(database)


@pytest.fixture
def claim(database: Database) -> Claim:
    """The claim of an attempt under way."""
    return a_claim(RunStore(database))


def post(connection: Connection) -> dict[str, int]:
    """The work: one row."""
    connection.execute(text("INSERT INTO postings VALUES (500)"))
    return {"posted": 500}


def never(connection: Connection) -> None:
    """Work that must not be done."""
    raise AssertionError("called")


def postings(database: Database) -> int:
    """How often the work was done."""
    with database.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM postings")).scalar_one())


def keys(database: Database) -> list[str]:
    """The keys that are done."""
    with database.read() as connection:
        return list(connection.execute(text("SELECT key FROM effects")).scalars())


def test_a_key_that_is_done_returns_its_result_without_calling(
    effects: Effects, claim: Claim, database: Database
) -> None:
    request = {"wallet": 7, "amount": 500}
    assert effects.once(claim, "fee", request, post) == {"posted": 500}
    assert effects.once(claim, "fee", dict(reversed(request.items())), never) == {"posted": 500}
    assert (postings(database), keys(database)) == (1, ["fee"])


def test_another_run_finds_the_key_done(effects: Effects, claim: Claim, database: Database) -> None:
    effects.once(claim, "fee", None, post)
    assert effects.once(a_claim(RunStore(database)), "fee", None, never) == {"posted": 500}


def test_a_result_is_kept_and_returned_without_secrets(effects: Effects, claim: Claim) -> None:
    said = {"charge": "ch-1", "card": "4111 1111 1111 1111", "token": "abc", "wallet": 1000000008}
    kept = {"charge": "ch-1", "card": "***", "token": "***", "wallet": 1000000008}
    for _ in range(2):
        assert effects.once(claim, "charge", {"amount": 5}, lambda _: said) == kept


def test_each_key_is_work_of_its_own(effects: Effects, claim: Claim, database: Database) -> None:
    effects.once(claim, "fee 1", None, post)
    effects.once(claim, "fee 2", None, post)
    assert postings(database) == 2


def test_a_key_done_for_another_request_is_an_error(
    effects: Effects, claim: Claim, database: Database
) -> None:
    effects.once(claim, "fee", {"amount": 500}, post)
    with pytest.raises(OtherRequest, match="the effect 'fee' was done for another request"):
        effects.once(claim, "fee", {"amount": 600}, never)
    assert postings(database) == 1


def test_an_error_in_the_work_undoes_all_of_it(
    effects: Effects, claim: Claim, database: Database
) -> None:
    def post_and_fail(connection: Connection) -> None:
        post(connection)
        raise RuntimeError("after the row")

    with pytest.raises(RuntimeError, match="after the row"):
        effects.once(claim, "fee", None, post_and_fail)
    assert (postings(database), keys(database)) == (0, [])
    assert effects.once(claim, "fee", None, post) == {"posted": 500}


def test_an_attempt_without_its_lease_writes_nothing(
    effects: Effects, claim: Claim, database: Database
) -> None:
    let_leases_run_out(database)
    with pytest.raises(LeaseLost, match="attempt 1 of run 1 lost its lease"):
        effects.once(claim, "fee", None, never)
    assert keys(database) == []


def test_an_attempt_whose_run_was_taken_up_writes_nothing_even_if_the_key_is_done(
    effects: Effects, claim: Claim, database: Database
) -> None:
    forged = Claim(run_id=claim.run_id, attempt=claim.attempt, token="0" * 32)
    with pytest.raises(LeaseLost):
        effects.once(forged, "fee", None, never)
    effects.once(claim, "fee", None, post)
    with pytest.raises(LeaseLost):
        effects.once(forged, "fee", None, never)


def test_work_that_outlives_its_lease_is_undone(
    effects: Effects, claim: Claim, database: Database
) -> None:
    def post_slowly(connection: Connection) -> None:
        post(connection)
        connection.execute(text("UPDATE runs SET lease_until = '2000-01-01 00:00:00.000000'"))

    with pytest.raises(LeaseLost):
        effects.once(claim, "fee", None, post_slowly)
    assert (postings(database), keys(database)) == (0, [])


@pytest.mark.parametrize("result", [object(), {1, 2}, float("nan"), b"bytes"])
def test_a_result_that_is_not_json_undoes_the_work(
    effects: Effects, claim: Claim, database: Database, result: Any
) -> None:
    def post_and_return(connection: Connection) -> Any:
        post(connection)
        return result

    with pytest.raises(ResultNotJson, match="the effect 'fee' returned"):
        effects.once(claim, "fee", None, post_and_return)
    assert postings(database) == 0


@pytest.mark.parametrize("result", [None, 7, "text", [1, None], {"a": {"b": []}}])
def test_the_first_call_returns_what_later_ones_read(
    effects: Effects, claim: Claim, result: Any
) -> None:
    assert effects.once(claim, "fee", None, lambda _: result) == result
    assert effects.once(claim, "fee", None, never) == result
    assert effects.once(claim, "pair", None, lambda _: (1, 2)) == [1, 2]


@pytest.mark.parametrize("key", ["", "k" * 201, "a\0b", "a\nb", "\ud800"])
def test_a_key_that_no_database_keeps_is_refused(
    effects: Effects, claim: Claim, database: Database, key: str
) -> None:
    with pytest.raises(UnusableKey, match="a key has 1 to 200 characters"):
        effects.once(claim, key, None, never)
    assert keys(database) == []


def test_the_longest_key_is_kept(effects: Effects, claim: Claim) -> None:
    key = "\N{MONEY BAG}" * 200
    effects.once(claim, key, None, post)
    assert effects.once(claim, key, None, never) == {"posted": 500}


def commit_and_go_on(connection: Connection) -> None:
    """As code does that goes on whatever happens."""
    with suppress(EndedTransaction):
        connection.commit()


def of_driver(connection: Connection) -> Any:
    """What no event of SQLAlchemy's sees."""
    return connection.connection.driver_connection


@pytest.mark.parametrize(
    ("end", "what"),
    [
        (Connection.commit, "commit"),
        (commit_and_go_on, "commit"),
        (Connection.rollback, "roll back"),
        (lambda connection: connection.exec_driver_sql("ROLLBACK"), "send ROLLBACK"),
        (lambda connection: connection.exec_driver_sql("COMMIT"), "send COMMIT"),
        (lambda connection: connection.execute(text(" /* so */ end;")), "send END"),
        (lambda connection: connection.execute(text("BEGIN")), "send BEGIN"),
        (lambda connection: of_driver(connection).rollback(), "end its transaction"),
    ],
)
def test_work_must_not_end_its_transaction(
    effects: Effects,
    claim: Claim,
    database: Database,
    end: Callable[[Connection], object],
    what: str,
) -> None:
    def post_and_end(connection: Connection) -> None:
        post(connection)
        end(connection)

    with pytest.raises(EndedTransaction, match=f"the work of the effect 'fee' must not {what}"):
        effects.once(claim, "fee", None, post_and_end)
    assert (postings(database), keys(database)) == (0, [])
    assert effects.once(claim, "fee", None, post) == {"posted": 500}


def begin_another(connection: Connection) -> None:
    """By statements that no event of SQLAlchemy's sees: as after an error that a job handles."""
    for statement in ("ROLLBACK", "BEGIN"):
        of_driver(connection).execute(statement)


def test_work_in_another_transaction_than_that_of_its_key_is_undone(
    effects: Effects, claim: Claim, database: Database
) -> None:
    def begin_and_post(connection: Connection) -> None:
        begin_another(connection)
        post(connection)

    for _ in range(2):
        with pytest.raises(EndedTransaction, match="end its transaction and begin another"):
            effects.once(claim, "fee", None, begin_and_post)
    assert (postings(database), keys(database)) == (0, [])
    assert effects.once(claim, "fee", None, post) == {"posted": 500}


def test_work_does_not_go_on_once_its_transaction_was_undone(
    effects: Effects, claim: Claim, database: Database
) -> None:
    def roll_back_and_post(connection: Connection) -> None:
        of_driver(connection).rollback()
        for _ in range(2):
            with suppress(EndedTransaction):
                post(connection)

    for _ in range(2):
        with pytest.raises(EndedTransaction, match="must not go on once its transaction has ended"):
            effects.once(claim, "fee", None, roll_back_and_post)
    assert (postings(database), keys(database)) == (0, [])
    assert effects.once(claim, "fee", None, post) == {"posted": 500}


def test_what_was_committed_past_us_by_a_run_that_ended_is_counted_once_another_run_asks(
    effects: Effects, claim: Claim, database: Database
) -> None:
    with database.begin() as connection:
        # As a kill leaves it right after the driver's commit.
        begin_effect(connection, claim, "fee", hash_of(None), repeatable=False)
    assert in_doubt(database, claim.run_id) == 0
    with pytest.raises(EffectUnderWay):
        effects.once(a_claim(RunStore(database)), "fee", None, never)
    let_leases_run_out(database)
    with pytest.raises(EffectUnknown):
        effects.once(a_claim(RunStore(database)), "fee", None, never)
    assert in_doubt(database, claim.run_id) == 1


def test_work_that_was_committed_past_us_is_unknown_and_its_run_is_reviewed(
    effects: Effects, claim: Claim, database: Database
) -> None:
    def post_and_commit(connection: Connection) -> None:
        post(connection)
        of_driver(connection).commit()

    with pytest.raises(EndedTransaction, match="must not end its transaction"):
        effects.once(claim, "fee", None, post_and_commit)
    assert (postings(database), keys(database)) == (1, ["fee"])
    with pytest.raises(EffectUnknown):
        effects.once(claim, "fee", None, post)
    runs = RunStore(database)
    assert runs.succeed(claim, None) is RunState.FAILED
    assert runs.get(claim.run_id).review == "required"


def test_so_is_work_that_was_committed_past_us_and_failed_or_went_on(
    effects: Effects, claim: Claim, database: Database
) -> None:
    def post_commit_and(go_on: bool, connection: Connection) -> None:
        post(connection)
        of_driver(connection).commit()
        if go_on:
            connection.execute(text("SELECT 1"))
        raise RuntimeError("after the commit")

    for go_on, error in ((False, RuntimeError), (True, EndedTransaction)):
        with pytest.raises(error, match=r"after the commit|once its transaction has ended"):
            effects.once(claim, f"fee {go_on}", None, partial(post_commit_and, go_on))
    assert postings(database) == 2
    assert in_doubt(database, claim.run_id) == 2


def test_work_goes_on_with_its_own_words_for_what_ends_nothing(
    effects: Effects, claim: Claim, database: Database
) -> None:
    def post_with_a_savepoint(connection: Connection) -> str:
        connection.exec_driver_sql("SAVEPOINT mine")
        post(connection)
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT mine")
        post(connection)
        connection.exec_driver_sql("RELEASE SAVEPOINT mine")
        return str(connection.execute(text("SELECT 'x; COMMIT' -- ; ROLLBACK")).scalar_one())

    assert effects.once(claim, "fee", None, post_with_a_savepoint) == "x; COMMIT"
    assert postings(database) == 1


def test_work_may_undo_a_part_of_itself(effects: Effects, claim: Claim, database: Database) -> None:
    def post_once_of_twice(connection: Connection) -> str:
        post(connection)
        with suppress(DBAPIError), connection.begin_nested():
            post(connection)
            connection.execute(text("INSERT INTO postings VALUES (1, 2)"))
        return "one"

    assert effects.once(claim, "fee", None, post_once_of_twice) == "one"
    assert postings(database) == 1


def test_a_result_with_any_character_is_read_back(effects: Effects, claim: Claim) -> None:
    result = {"note": "a\0b \ud800 قيد"}
    assert effects.once(claim, "fee", None, lambda _: result) == result
    assert effects.once(claim, "fee", None, never) == result
