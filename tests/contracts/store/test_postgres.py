"""A ledger on PostgreSQL: never upgraded by itself, and a server that may be gone in many ways."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from engine.effects.effects import Effects
from engine.store import postgres as module
from engine.store.database import REVISION, Database
from engine.store.faults import LedgerBehind, LedgerUnreachable, MissingDriver
from engine.store.leases import LeaseStore
from engine.store.runs import RunStore
from tests.builders.booking import a_claim
from tests.builders.database import a_postgres_database, a_postgres_ledger, empty
from tests.builders.postgres import PostgresServer, start_postgres


@pytest.fixture
def database(postgres_ledger: Database) -> Iterator[Database]:
    """An upgraded ledger."""
    yield postgres_ledger
    empty(postgres_ledger)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop, or change."""
    server = start_postgres()
    yield server
    server.remove()


@pytest.fixture
def connected() -> Iterator[Callable[[str], Database]]:
    """Ledgers by their URLs; let go of in the end."""
    made: list[Database] = []

    def connect(url: str) -> Database:
        made.append(Database(url))
        return made[-1]

    yield connect
    for database in made:
        database.dispose()


def refusal(use: Callable[[], Any]) -> str:
    """Why the ledger cannot be used, in one line and without a password."""
    with pytest.raises(LedgerUnreachable) as caught:
        use()
    told = str(caught.value)
    assert "\n" not in told
    assert "hush" not in told
    assert told.startswith("the run ledger postgresql://")
    return told


def test_an_empty_database_is_not_upgraded_by_itself(
    postgres_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    database = connected(postgres_server.url_of(postgres_server.make_database()))
    assert (database.exists(), database.revision()) == (True, None)
    with pytest.raises(LedgerBehind) as caught:
        database.require_current()
    assert str(caught.value) == (
        f"the run ledger {database.shown_url} has no tables, and this version needs revision "
        f"{REVISION}; run `engine database upgrade`"
    )
    assert caught.value.exit_code == 6
    assert database.upgrade() is True
    database.require_current()


def test_an_older_ledger_is_not_upgraded_by_itself(
    postgres_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    database = connected(a_postgres_ledger(postgres_server))
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(LedgerBehind, match=r"is at revision 0000, .* run `engine database upgr"):
        database.require_current()


def test_an_upgrade_that_fails_leaves_nothing_behind(
    postgres_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    name = postgres_server.make_database()
    postgres_server.execute("CREATE TABLE workers (x INTEGER)", name)
    database = connected(postgres_server.url_of(name))
    with pytest.raises(DBAPIError, match='relation "workers" already exists'):
        database.upgrade()
    assert database.revision() is None
    postgres_server.execute("DROP TABLE workers", name)
    assert database.upgrade() is True


def test_the_client_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingDriver, match=r"run `pip install engine\[postgres\]`") as caught:
        Database("postgresql://localhost/engine")
    assert caught.value.exit_code == 2


def test_a_server_that_is_down_is_named(connected: Callable[[str], Database]) -> None:
    database = connected("postgresql://u:hush@127.0.0.1:1/engine?password=hush")
    for use in (database.upgrade, database.require_current, database.revision):
        assert "Connection refused" in refusal(use)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:hush@no-such-host.invalid/engine", "no-such-host.invalid"),
        ("postgresql://u:hush@127.0.0.1:1/engine?colour=red", "colour"),
        ("postgresql://u:hush@127.0.0.1:1/engine?sslmode=maybe", "sslmode"),
    ],
)
def test_a_url_that_leads_nowhere_is_named(
    connected: Callable[[str], Database], url: str, said: str
) -> None:
    assert said in refusal(connected(url).revision)


def test_a_database_that_is_missing_is_named(
    postgres_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    database = connected(postgres_server.url_of("absent"))
    assert 'database "absent" does not exist' in refusal(database.revision)


def test_a_wrong_password_is_named_and_not_shown(
    own_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    own_server.execute("CREATE ROLE clerk LOGIN PASSWORD 'right'")
    (own_server._data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    own_server.execute("SELECT pg_reload_conf()")
    url = own_server.url_of("postgres", role="clerk", password="hush")
    assert "password authentication failed" in refusal(connected(url).revision)


def test_a_connection_that_ends_before_it_is_used_is_named(
    postgres_server: PostgresServer,
    connected: Callable[[str], Database],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(module._SESSION, "lock_timeout", "soon")
    told = refusal(connected(postgres_server.url).revision)
    assert 'invalid value for parameter "lock_timeout"' in told


def test_too_many_connections_are_named(
    postgres_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    name = postgres_server.make_database()
    postgres_server.execute("CREATE ROLE few LOGIN CONNECTION LIMIT 1")
    one = connected(postgres_server.url_of(name, role="few"))
    with one.read():
        assert "too many connections" in refusal(one.revision)
    assert one.revision() is None


def test_a_role_without_rights_is_named(
    postgres_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    url = a_postgres_ledger(postgres_server)
    postgres_server.execute("CREATE ROLE guest LOGIN")
    database = connected(url.replace("postgres@", "guest@"))
    assert "permission denied for table runs" in refusal(
        lambda: RunStore(database).claim(1, "worker-1")
    )


def test_whatever_is_committed_lasts(
    postgres_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    database = connected(a_postgres_ledger(postgres_server))
    with database.begin(lasting=False) as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
    assert not database.may_forget


def test_a_ledger_that_may_not_be_written_is_named(
    postgres_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    database = connected(a_postgres_ledger(postgres_server))
    name = database.url.database
    postgres_server.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    database.dispose()
    told = refusal(lambda: RunStore(database).rung([1]))
    assert "cannot execute UPDATE in a read-only transaction" in told


@pytest.mark.parametrize("state", ["53100", "53200", "57P01", "57P03", "58030", "40P01", "55P03"])
def test_what_only_the_server_can_mend_is_not_a_bug(database: Database, state: str) -> None:
    def fail() -> None:
        with database.begin() as connection:
            connection.execute(
                text(
                    f"DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '{state}'; END $$"
                )
            )

    assert "no space left" in refusal(fail)


def test_a_writer_that_never_ends_makes_the_ledger_unreachable(
    database: Database, monkeypatch: pytest.MonkeyPatch, connected: Callable[[str], Database]
) -> None:
    monkeypatch.setitem(module._SESSION, "lock_timeout", "50ms")
    other = connected(database.url.render_as_string(hide_password=False))
    runs = RunStore(database)
    claim = a_claim(runs)
    with database.begin() as connection:
        connection.execute(text("UPDATE runs SET job = 'held'"))
        assert RunStore(other).get(claim.run_id).job == "purge"
        assert "lock timeout" in refusal(lambda: RunStore(other).renew([claim]))
    assert RunStore(other).renew([claim]) == [claim]


def test_a_connection_cut_in_a_transaction_is_an_outage_and_writes_nothing(
    postgres_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    database = connected(a_postgres_ledger(postgres_server))
    runs = RunStore(database)
    claim = a_claim(runs)

    def cut() -> None:
        with database.begin() as connection:
            connection.execute(text("UPDATE runs SET job = 'cut'"))
            ours = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            postgres_server.execute(f"SELECT pg_terminate_backend({ours})")
            connection.execute(text("SELECT 1"))

    assert "cannot be used" in refusal(cut)
    assert runs.get(claim.run_id).job == "purge"


def test_a_connection_cut_while_it_rested_is_replaced(
    postgres_server: PostgresServer,
    connected: Callable[[str], Database],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = connected(a_postgres_ledger(postgres_server))
    with database.begin() as connection:
        ours = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    postgres_server.execute(f"SELECT pg_terminate_backend({ours}, 10_000)")
    monkeypatch.setattr(module, "_REST", 0)
    assert database.revision() == REVISION


def test_a_restart_of_the_server_is_survived(
    own_server: PostgresServer, connected: Callable[[str], Database]
) -> None:
    database = a_postgres_database(own_server)
    runs, leases = RunStore(database), LeaseStore(database)
    claim = a_claim(runs)
    own_server.stop()
    for _ in range(2):
        assert "cannot be used" in refusal(lambda: runs.renew([claim]))
        assert "cannot be used" in refusal(lambda: leases.release("sweep", "one"))
    own_server.start()
    assert runs.renew([claim]) == [claim]
    own_server.restart()
    assert runs.succeed(claim, None)
    own_server.kill()
    assert "cannot be used" in refusal(runs.lost)
    own_server.start()
    assert runs.get(claim.run_id).state == "succeeded"
    database.dispose()


def test_a_worker_that_is_gone_does_not_keep_its_locks(database: Database) -> None:
    with database.read() as connection:
        settings = {
            name: connection.execute(text(f"SHOW {name}")).scalar()
            for name in ("tcp_keepalives_idle", "idle_in_transaction_session_timeout")
        }
    assert settings == {"tcp_keepalives_idle": "5", "idle_in_transaction_session_timeout": "1min"}


def test_a_heart_goes_on_beating_while_work_is_done_once(database: Database) -> None:
    """The work takes no lock on its run until it is over, however long it is."""
    runs = RunStore(database)
    claim = a_claim(runs)

    def slow(_: Connection) -> None:
        for _time in range(3):
            assert RunStore(database).renew([claim]) == [claim]
        assert runs.progress(claim, 1, None, None)

    Effects(database).once(claim, "fee", None, slow)
