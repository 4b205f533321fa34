"""Work in other databases happens once: key, work and result are one transaction there."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text
from sqlalchemy import table as sql_table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from engine.effects.effects import Effects
from engine.effects.elsewhere import NoTable, NotWritable, UnknownDatabase, engine_effects
from engine.effects.engines import make_engine
from engine.effects.faults import EndedTransaction, LeaseLost, NoResult, OtherRequest, ResultNotJson
from engine.store.database import Database
from engine.store.run import Claim
from engine.store.runs import RunStore
from tests.builders.at_once import at_once
from tests.builders.booking import a_claim, let_leases_run_out
from tests.builders.mariadb import MariadbServer
from tests.builders.postgres import PostgresServer

KINDS = ["sqlite", "postgresql", "mariadb"]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A shop's database, with a table for the work."""
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path / 'shop.db'}"
    else:
        name = {"postgresql": "postgres_server", "mariadb": "mariadb_server"}[request.param]
        server: PostgresServer | MariadbServer = request.getfixturevalue(name)
        made = server.url_of(server.make_database())
    engine = make_engine(made)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (amount INTEGER)"))
    engine.dispose()
    return made


@pytest.fixture
def effects(database: Database, url: str) -> Iterator[Effects]:
    """Effects in the shop as well."""
    made = Effects(database, {"shop": url})
    yield made
    made.close()


@pytest.fixture
def claim(runs: RunStore) -> Claim:
    """The claim of an attempt under way."""
    return a_claim(runs)


def order(connection: Connection) -> dict[str, int]:
    """The work: one row."""
    connection.execute(text("INSERT INTO orders VALUES (500)"))
    return {"ordered": 500}


def never(connection: Connection) -> None:
    """Work that must not be done."""
    raise AssertionError("called")


def rows(url: str, table: str = "orders") -> int:
    """How many rows the shop has."""
    engine = make_engine(url)
    with engine.begin() as connection:
        count = connection.execute(select(func.count()).select_from(sql_table(table))).scalar_one()
    engine.dispose()
    return int(count)


def test_a_key_that_is_done_returns_its_result_without_calling(
    effects: Effects, claim: Claim, runs: RunStore, url: str
) -> None:
    assert effects.once(claim, "fee", {"a": 1}, order, database="shop") == {"ordered": 500}
    assert effects.once(claim, "fee", {"a": 1}, never, database="shop") == {"ordered": 500}
    other = a_claim(runs)
    assert effects.once(other, "fee", {"a": 1}, never, database="SHOP") == {"ordered": 500}
    assert (rows(url), rows(url, "engine_effects")) == (1, 1)


def test_keys_that_a_collation_takes_for_equal_are_two(
    effects: Effects, claim: Claim, url: str
) -> None:
    for key in ("fee", "Fee", "fee ", "fée"):
        effects.once(claim, key, None, order, database="shop")
    assert rows(url) == 4


def test_a_key_done_for_another_request_is_an_error(effects: Effects, claim: Claim) -> None:
    effects.once(claim, "fee", {"a": 1}, order, database="shop")
    with pytest.raises(OtherRequest):
        effects.once(claim, "fee", {"a": 2}, never, database="shop")


def test_an_error_in_the_work_undoes_all_of_it(effects: Effects, claim: Claim, url: str) -> None:
    def order_and_fail(connection: Connection) -> None:
        order(connection)
        raise RuntimeError("after the row")

    with pytest.raises(RuntimeError, match="after the row"):
        effects.once(claim, "fee", None, order_and_fail, database="shop")
    with pytest.raises(ResultNotJson):
        effects.once(claim, "fee", None, lambda c: [order(c), object()], database="shop")
    assert (rows(url), rows(url, "engine_effects")) == (0, 0)
    assert effects.once(claim, "fee", None, order, database="shop") == {"ordered": 500}


def test_an_attempt_without_its_lease_writes_nothing(
    effects: Effects, claim: Claim, database: Database, url: str
) -> None:
    def order_slowly(connection: Connection) -> None:
        order(connection)
        let_leases_run_out(database)

    with pytest.raises(LeaseLost):
        effects.once(claim, "fee", None, order_slowly, database="shop")
    with pytest.raises(LeaseLost):
        effects.once(claim, "fee", None, never, database="shop")
    assert (rows(url), rows(url, "engine_effects")) == (0, 0)


def test_work_must_not_end_its_transaction(effects: Effects, claim: Claim, url: str) -> None:
    for end in (Connection.commit, lambda connection: connection.exec_driver_sql("COMMIT")):

        def order_and_commit(connection: Connection, end: Any = end) -> None:
            order(connection)
            end(connection)

        with pytest.raises(EndedTransaction):
            effects.once(claim, "fee", None, order_and_commit, database="shop")
    assert rows(url) == 0
    assert effects.once(claim, "fee", None, order, database="shop") == {"ordered": 500}


def test_work_that_ended_its_transaction_past_us_is_not_done_again(
    effects: Effects, claim: Claim, url: str
) -> None:
    def order_and_commit(connection: Connection) -> None:
        order(connection)
        driver: Any = connection.connection.driver_connection
        driver.commit()

    with pytest.raises(EndedTransaction):
        effects.once(claim, "fee", None, order_and_commit, database="shop")
    with pytest.raises(NoResult, match="UPDATE engine_effects SET result = 'null' WHERE key_hash"):
        effects.once(claim, "fee", None, order_and_commit, database="shop")
    assert rows(url) == 1


def test_work_in_another_transaction_than_that_of_its_key_is_undone(
    effects: Effects, claim: Claim, url: str
) -> None:
    def begin_and_order(connection: Connection) -> None:
        driver = connection.connection.cursor()
        for statement in ("ROLLBACK", "BEGIN"):
            driver.execute(statement)
        order(connection)

    for _ in range(2):
        with pytest.raises(EndedTransaction, match="end its transaction and begin another"):
            effects.once(claim, "fee", None, begin_and_order, database="shop")
    assert rows(url) == 0
    assert effects.once(claim, "fee", None, order, database="shop") == {"ordered": 500}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["shop", None])
def test_an_insert_or_rollback_that_the_work_catches_leaves_nothing(
    effects: Effects, claim: Claim, database: Database, url: str, name: str | None
) -> None:
    if name is None and database.url.get_backend_name() != "sqlite":
        return

    def order_twice(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE seen (k INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE sold (amount INTEGER)"))
        for _ in range(2):
            with suppress(DBAPIError):
                connection.execute(text("INSERT OR ROLLBACK INTO seen VALUES (1)"))
        connection.execute(text("CREATE TABLE sold (amount INTEGER)"))

    for _ in range(2):
        with pytest.raises(EndedTransaction, match="go on once its transaction has ended"):
            effects.once(claim, "fee", None, order_twice, database=name)


def test_of_many_at_once_one_does_it_and_all_have_its_result(
    database: Database, runs: RunStore, url: str
) -> None:
    claims = [a_claim(runs) for _ in range(5)]
    done = threading.Semaphore(0)

    def order_once(connection: Connection) -> Any:
        done.release()
        return order(connection)

    def ask(by: Claim) -> Any:
        effects = Effects(database, {"shop": url})
        try:
            return effects.once(by, "fee", None, order_once, database="shop")
        finally:
            effects.close()

    answers = at_once(*[lambda by=by: ask(by) for by in claims])
    assert answers == [{"ordered": 500}] * 5
    assert rows(url) == 1


def test_a_name_that_no_setting_has_is_an_error(effects: Effects, claim: Claim) -> None:
    with pytest.raises(UnknownDatabase, match=r"'shap'; did you mean 'shop'\?.*DATABASES__SHAP"):
        effects.once(claim, "fee", None, never, database="shap")


def test_where_we_may_make_no_table_somebody_else_is_told_how(
    database: Database, claim: Claim, postgres_server: PostgresServer
) -> None:
    name = postgres_server.make_database()
    postgres_server.execute("CREATE ROLE shop_clerk LOGIN", name)
    try:
        effects = Effects(database, {"shop": postgres_server.url_of(name, role="shop_clerk")})
        with pytest.raises(NoTable, match=r"permission denied.*CREATE TABLE engine_effects.*GRANT"):
            effects.once(claim, "fee", None, never, database="shop")
        postgres_server.execute(str(CreateTable(engine_effects)), name)
        for granted in ("SELECT", "INSERT"):
            grant = "GRANT SELECT, INSERT, UPDATE ON engine_effects TO shop_clerk"
            why = f"permission denied for table engine_effects; have somebody.*{grant}"
            with pytest.raises(NotWritable, match=why):
                effects.once(claim, "fee", None, lambda _: None, database="shop")
            postgres_server.execute(f"GRANT {granted} ON engine_effects TO shop_clerk", name)
        with pytest.raises(NotWritable):
            effects.once(claim, "fee", None, lambda _: None, database="shop")
        postgres_server.execute(grant, name)
        assert effects.once(claim, "fee", None, lambda _: 7, database="shop") == 7
        effects.close()
    finally:
        postgres_server.drop_database(name)
        postgres_server.execute("DROP ROLE shop_clerk")


def test_an_error_of_the_work_says_what_the_database_said(effects: Effects, claim: Claim) -> None:
    def order_wrongly(connection: Connection) -> None:
        connection.execute(text("INSERT INTO orders VALUES (1, 2, 3)"))

    with pytest.raises(DBAPIError) as caught:
        effects.once(claim, "fee", None, order_wrongly, database="shop")
    assert "INSERT INTO orders" in str(caught.value)
    assert "Background on this error" not in str(caught.value)


def test_the_ledger_itself_may_be_named(database: Database, runs: RunStore, claim: Claim) -> None:
    url = make_url(str(database.url.render_as_string(hide_password=False)))
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE orders (amount INTEGER)"))
    effects = Effects(database, {"ledger": url.render_as_string(hide_password=False)})
    assert effects.once(claim, "fee", None, order, database="ledger") == {"ordered": 500}
    assert effects.once(claim, "fee", None, never, database="ledger") == {"ordered": 500}
    effects.close()
