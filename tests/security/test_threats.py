"""Each line of ARCHITECTURE.md's page on who may do what, tried."""

import os
import pickle
import pwd
import re
import sqlite3
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Update, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from engine.app import App, build_app
from engine.artifact_files.faults import FileDamaged
from engine.audit.users import UsersByAudit, facts_of
from engine.audit.verification import verify
from engine.cli.acting import FREE, NEEDS
from engine.errors import EngineError
from engine.huey_app.doorbell import Doorbell
from engine.metrics.families import EngineFamilies
from engine.metrics.reading import LedgerReader
from engine.metrics.readings import Readings
from engine.operations.actor import Actor, operating_system_login
from engine.operations.authority import TokenNeeded, TokenNotValid, authority
from engine.operations.download import download
from engine.operations.users import NotAnAdmin, add_user, give_token
from engine.sealing import InvalidKey, KeyFile, Sealer
from engine.settings import InvalidSettings, Settings, load_settings
from engine.sources.faults import SourceUnreachable
from engine.sources.sqlite import SqliteDatabase
from engine.store.audit_entries import Acts
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.roles import Role
from engine.store.run import NewRun, RunError
from engine.store.sealed_params import ToSeal
from engine.store.user_tables import audit_entries, metadata, user_tokens, users
from engine.worker.fork_server import ForkServer
from tests.builders.audit import tampering
from tests.builders.database import a_postgres_ledger
from tests.builders.document import a_document
from tests.builders.postgres import PostgresServer
from tests.builders.prometheus import served
from tests.builders.publisher import publish
from tests.security.conftest import KEY

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Who may do what")[2]
LINES = re.findall(r"^\| (?!who has|---)(.+?) \|", PAGE.partition("\n## ")[0], re.MULTILINE)

LOGIN = Actor(pwd.getpwuid(os.getuid()).pw_name)
SARA = Actor("sara", authenticated=True, role="admin")
HUSH = "hush-4111"
OF_OMAR = update(user_tokens).where(user_tokens.c.user == "omar")

Test = TypeVar("Test", bound=Callable[..., None])
TRIED: set[str] = set()


def tries(start: str) -> Callable[[Test], Test]:
    """The line of the page that begins so is what a test is about."""
    (line,) = [line for line in LINES if line.startswith(start)]

    def note(test: Test) -> Test:
        TRIED.add(line)
        return test

    return note


def a_token(app: App, name: str, role: Role, *scopes: str) -> str:
    add_user(app.users, name, role, actor=SARA)
    return give_token(app.users, name, scopes=scopes, lasts=timedelta(days=1), actor=SARA)[0]


def found_in(app: App) -> Collection[str]:
    key = app.audit.key(app.keys)
    return {each.kind for each in verify(app.audit.in_order(), key, [app.audit_heads]).findings}


def acts(app: App, *queues: str) -> None:
    for queue in queues:
        app.pauses.pause(queue, actor="sara", reason=None)


def a_sealed_run(app: App) -> int:
    """With a secret in each place that a run has for one."""
    sealer = Sealer(app.keys, "parameters")
    new = NewRun(
        job="pay", queue="default", params={"token": "***"}, attempts=1, actor="sara",
        to_seal=ToSeal({"token": HUSH}, sealer),
    )  # fmt: skip
    return app.runs.book(new)[0].id


def rows_of(database: Database) -> str:
    """All that a ledger holds, as text."""
    with database.read() as connection:
        tables = [connection.execute(select(each)).all() for each in metadata.sorted_tables]
    return repr(tables)


@contextmanager
def a_role(app: App, server: PostgresServer, *grants: str) -> Iterator[App]:
    """The same engine on the same ledger, under a role that was granted this much."""
    name = str(app.database.url.database)
    role = f"role_{name}"
    server.execute(f"CREATE ROLE {role} LOGIN")
    for grant in ("USAGE ON SCHEMA public", *grants):
        server.execute(f"GRANT {grant} TO {role}", name)
    changed = {"database_url": server.url_of(name, role=role)}
    settings = app.settings.model_copy(update=changed)
    other = build_app(Settings.model_validate({**settings.model_dump(), **changed}))
    yield other
    other.close()
    server.execute(f"DROP OWNED BY {role}", name)
    server.execute(f"DROP ROLE {role}")


WORKS = (
    "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public",
    "USAGE ON ALL SEQUENCES IN SCHEMA public",
)
LOOKS = ("SELECT ON ALL TABLES IN SCHEMA public",)


@pytest.fixture
def on_server(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[App]:
    """An engine on a ledger of a server, as its owner."""
    settings = {"database_url": a_postgres_ledger(postgres_server), "secret_key": KEY}
    app = build_app(Settings.model_validate({**settings, "home": tmp_path}))
    yield app
    app.close()


@tries("write access to the home")
def test_whoever_writes_the_home_still_says_nobodys_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("ENGINE_TOKEN=engine_of_somebody\n")
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path))
    with pytest.raises(InvalidSettings, match="ENGINE_TOKEN"):
        load_settings()


@tries("the key")
def test_whoever_has_the_key_opens_and_forges_and_is_seen(app: App) -> None:
    run_id = a_sealed_run(app)
    acts(app, "a", "b")
    key = app.audit.key(app.keys)
    assert key is not None
    assert HUSH not in str(app.sealed_params.of_run(run_id))
    before, made = "", []
    for entry in app.audit.in_order():
        changed = replace(entry, actor="omar")
        made.append({**vars(changed), "mac": changed.mac_after(before, key)})
        before = made[-1]["mac"]
    with tampering(app.database) as connection:
        connection.execute(delete(audit_entries))
        connection.execute(insert(audit_entries), made)
    assert found_in(app) == {"rewritten"}


@tries("the key")
def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "secret.key")
    file.made()
    assert stat.S_IMODE(file.path.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    file.path.chmod(0o640)
    with pytest.raises(InvalidKey, match="others may read it"):
        file.made()


@tries("the ledger as its owner")
def test_whoever_owns_the_ledger_reads_no_secret_in_it(app: App) -> None:
    a_sealed_run(app)
    token = a_token(app, "sara", Role.ADMIN)
    everything = rows_of(app.database)
    assert "pay" in everything
    assert HUSH not in everything
    assert token not in everything
    assert token.removeprefix("engine_") not in everything


def _edit(entries: Any) -> Any:
    return update(entries).where(entries.c.id == 2).values(actor="omar")


def _remove(entries: Any) -> Any:
    return delete(entries).where(entries.c.id == 2)


def _cut(entries: Any) -> Any:
    return delete(entries).where(entries.c.id > 2)


@tries("the ledger as its owner")
@pytest.mark.parametrize(
    ("statement", "kind"), [(_edit, "edited"), (_remove, "removed"), (_cut, "cut")]
)
def test_whoever_owns_the_ledger_changes_the_audit_and_is_seen(
    app: App, statement: Callable[[Any], Any], kind: str
) -> None:
    acts(app, "a", "b", "c", "d")
    assert found_in(app) == set()
    with tampering(app.database) as connection:
        connection.execute(statement(audit_entries))
    assert found_in(app) == {kind}


@tries("the ledger as its owner")
def test_whoever_adds_an_entry_without_the_key_is_seen(app: App) -> None:
    acts(app, "a")
    (entry,) = app.audit.in_order()
    with app.database.begin() as connection:
        connection.execute(insert(audit_entries).values(vars(replace(entry, id=2))))
    # That it says to be made here, where no head vouches for it, tells as well.
    assert found_in(app) == {"edited", "heads_missing"}


@tries("the ledger as who works")
def test_whoever_works_acts_and_cannot_touch_the_audit(
    on_server: App, postgres_server: PostgresServer
) -> None:
    with a_role(on_server, postgres_server, *WORKS) as worker:
        acts(worker, "a", "b")
        a_sealed_run(worker)
        for statement in (
            "UPDATE audit_entries SET actor = 'omar'",
            "DELETE FROM audit_entries",
            "TRUNCATE audit_entries",
            "ALTER TABLE audit_entries DISABLE TRIGGER USER",
            "DROP TRIGGER audit_entries_stay ON audit_entries",
            f"CREATE OR REPLACE FUNCTION audit_entries_stay() {IDLE}",
            "SET session_replication_role = replica",
            "DROP TABLE audit_entries",
        ):
            with pytest.raises((DBAPIError, EngineError)):
                _execute(worker.database, statement)
    assert found_in(on_server) == set()
    assert on_server.audit.count(Acts()) == 3


def _execute(database: Database, statement: str) -> None:
    with database.begin() as connection:
        connection.execute(text(statement))


def unexplained(app: App) -> list[str]:
    by_audit = UsersByAudit()
    list(by_audit.passing(app.audit.in_order()))
    return [finding.text for finding in by_audit.findings(facts_of(app.users))]


@tries("the ledger as who works")
def test_whoever_makes_itself_a_user_is_seen(app: App) -> None:
    a_token(app, "sara", Role.ADMIN)
    a_token(app, "omar", Role.VIEWER, "read")
    assert unexplained(app) == []
    row = {"name": "mallory", "role": "admin", "created_by": "sara", "created_at": database_now()}
    token = {
        "user": "mallory", "hash": "of a token of mallory", "scopes": [], "created_by": "sara",
        "created_at": database_now(), "expires_at": database_now(timedelta(days=9)),
    }  # fmt: skip
    with app.database.begin() as connection:
        connection.execute(insert(users).values(row))
        connection.execute(insert(user_tokens).values(token))
    assert app.users.bearer("of a token of mallory") is not None
    assert unexplained(app) == [
        "user mallory is admin by no act of the audit",
        "token 3 of mallory is good by no act of the audit",
    ]


@tries("the ledger as who works")
@pytest.mark.parametrize(
    "change",
    [
        update(users).where(users.c.name == "omar").values(role="admin"),
        OF_OMAR.values(hash="another one's"),
        OF_OMAR.values(scopes=[]),
        OF_OMAR.values(expires_at=database_now(timedelta(days=999))),
    ],
)
def test_whoever_gives_a_user_more_than_they_have_is_seen(app: App, change: Update) -> None:
    a_token(app, "sara", Role.ADMIN)
    a_token(app, "omar", Role.VIEWER, "read")
    with app.database.begin() as connection:
        connection.execute(change)
    assert len(unexplained(app)) == 1


@tries("the ledger as who works")
@pytest.mark.parametrize("undo", [update(users).values(disabled_at=None), None])
def test_whoever_brings_back_what_was_ended_is_seen(app: App, undo: Update | None) -> None:
    a_token(app, "sara", Role.ADMIN)
    a_token(app, "omar", Role.VIEWER)
    (token,) = [each for each in app.users.tokens() if each.user == "omar"]
    app.users.revoke(token.id, actor="sara", reason=None)
    if undo is not None:
        app.users.disable("omar", actor="sara", reason=None)
    assert unexplained(app) == []
    with app.database.begin() as connection:
        connection.execute(update(user_tokens).values(revoked_at=None))
        if undo is not None:
            connection.execute(undo)
    assert len(unexplained(app)) == (1 if undo is None else 2)


@tries("the ledger as who looks")
def test_whoever_looks_does_not_act_and_sees_masks(
    on_server: App, postgres_server: PostgresServer
) -> None:
    run_id = a_sealed_run(on_server)
    token = a_token(on_server, "sara", Role.ADMIN)
    with a_role(on_server, postgres_server, *LOOKS) as looker:
        may = partial(authority, looker.users, token)
        assert may(command="runs list", needs=Role.VIEWER).name == "sara"
        assert dict(looker.runs.get(run_id).params) == {"token": "***"}
        assert HUSH not in rows_of(looker.database)
        for act in (
            partial(acts, looker, "a"),
            partial(a_sealed_run, looker),
            partial(looker.users.add, "mallory", Role.ADMIN, actor="mallory"),
        ):
            with pytest.raises(EngineError):
                act()


IDLE = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"


class Bomb:
    """Code, to whoever unpickles it."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (f"{os.environ['BOMB']}/exploded",)


@tries("write access to the queue")
def test_whoever_writes_the_queue_runs_nothing_and_loses_nothing(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOMB", str(tmp_path))
    booked = app.runs.book(NewRun(job="pay", queue="default", attempts=1))[0]
    with closing(Doorbell(f"sqlite:///{tmp_path}/queue.db")) as doorbell:
        for message in (
            pickle.dumps(Bomb()),
            b'{"run": 1, "job": "another", "params": {"amount": 9}}',
            b'{"run": "1; DROP TABLE runs"}',
        ):
            doorbell.storage("default").enqueue(message)
        doorbell.ring("default", 4_711)
        rings = [doorbell.take(["default"]) for _ in range(4)]
    assert [ring.run_id for ring in rings if ring] == [4_711]
    assert not (tmp_path / "exploded").exists()
    # Whoever heard of a run that is not there takes the one that is, as it was booked.
    taken = app.runs.take(4_711, "a worker", lambda _: None)
    assert taken is None or taken.claim.run_id == booked.id
    assert [run.id for run in app.runs.newest(limit=5)] == [booked.id]
    assert dict(app.runs.get(booked.id).params) == {}


@tries("write access to the storage")
def test_a_report_that_was_replaced_is_not_taken_for_the_one_that_was_made(
    app: App, tmp_path: Path
) -> None:
    run = app.runs.book(NewRun(job="pay", queue="default", attempts=1))[0]
    artifact = publish(app.publisher, run.id, a_document())
    (stored,) = [file for file in (tmp_path / "var" / "artifacts").rglob("*") if file.is_file()]
    stored.write_bytes(b"n" * artifact.size)
    target = tmp_path / "downloaded"
    with pytest.raises(FileDamaged, match="another hash"):
        download(app.publisher.files, artifact, target)
    assert not target.exists()


@tries("the URL of a source")
def test_a_source_is_not_written_to(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection, connection:
        connection.execute("CREATE TABLE wallets (id INTEGER)")
    source = SqliteDatabase("canteen", tmp_path / "a.db")
    for statement in ("INSERT INTO wallets VALUES (1)", "DROP TABLE wallets"):
        with pytest.raises(SourceUnreachable, match="readonly"), source.snapshot() as snapshot:
            snapshot.rows(statement)


@tries("a user's token")
def test_a_token_is_good_for_its_role_and_scope_until_it_ends(app: App) -> None:
    a_token(app, "sara", Role.ADMIN)
    token = a_token(app, "board", Role.OPERATOR, "read")
    assert authority(app.users, token, command="runs list", needs=Role.VIEWER).name == "board"
    for command, needs in (("queue retry", Role.OPERATOR), ("users add", Role.ADMIN)):
        with pytest.raises(EngineError):
            authority(app.users, token, command=command, needs=needs)
    (known,) = [each for each in app.users.tokens() if each.user == "board"]
    app.users.revoke(known.id, actor="sara", reason=None)
    with pytest.raises(TokenNotValid):
        authority(app.users, token, command="runs list", needs=Role.VIEWER)
    expired = a_token(app, "omar", Role.VIEWER)
    with app.database.begin() as connection:
        connection.execute(update(user_tokens).values(expires_at=database_now()))
    with pytest.raises(TokenNotValid):
        authority(app.users, expired, command="runs list", needs=Role.VIEWER)


@tries("a user's token")
def test_a_token_is_hidden_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_TOKEN", "engine_" + "t" * 43)
    assert "engine_" + "t" * 43 in Settings().secrets


class Started(Exception):
    """A fork server would have started."""


@tries("a user's token")
def test_a_token_of_whoever_starts_a_worker_does_not_reach_its_jobs(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(environment: Mapping[str, str], **_: object) -> None:
        assert "ENGINE_TOKEN" not in environment
        assert "ENGINE_HOME" in environment
        raise Started

    monkeypatch.setenv("ENGINE_TOKEN", "engine_" + "t" * 43)
    monkeypatch.setattr(ForkServer, "start", start)
    with pytest.raises(Started):
        app.worker_huey(["default"])
    assert "ENGINE_TOKEN" not in os.environ


@tries("a login without a token")
def test_a_login_reads_nothing_where_there_are_users(app: App) -> None:
    a_token(app, "sara", Role.ADMIN)
    for command in ("runs list", "audit list", "users list", *NEEDS):
        needs = Role(NEEDS.get(command, "viewer"))
        with pytest.raises(TokenNeeded):
            authority(app.users, None, command=command, needs=needs)
    assert {"up", "queue work", "doctor", "schedules check", "database upgrade"} <= FREE
    assert not FREE & {"runs list", "runs show", "runs logs", "audit list", "breaks list"}


@tries("a login without a token")
def test_while_no_admin_has_a_token_a_login_gives_one_to_an_admin_only(app: App) -> None:
    add_user(app.users, "sara", Role.ADMIN, actor=LOGIN)
    add_user(app.users, "omar", Role.APPROVER, actor=LOGIN)
    actor = authority(app.users, None, command="users token", needs=Role.ADMIN)
    day = timedelta(days=1)
    with pytest.raises(NotAnAdmin):
        give_token(app.users, "omar", scopes=[], lasts=day, actor=actor)
    give_token(app.users, "sara", scopes=[], lasts=day, actor=actor)
    with pytest.raises(TokenNeeded):
        authority(app.users, None, command="users token", needs=Role.ADMIN)
    assert app.audit.newest(Acts(), limit=1)[0].actor == LOGIN.name


@tries("another one's environment")
def test_nobody_becomes_somebody_else_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = next(each.pw_name for each in pwd.getpwall() if each.pw_uid != os.getuid())
    for name in ("USER", "LOGNAME", "SUDO_USER", "USERNAME"):
        monkeypatch.setenv(name, other)
    assert operating_system_login() == LOGIN


@tries("the URL of the metrics")
def test_metrics_tell_neither_parameters_nor_errors(app: App) -> None:
    run_id = a_sealed_run(app)
    claim = app.runs.claim(run_id, "a worker")
    assert claim is not None
    error = RunError(type="Declined", message="of wallet 4711", fingerprint="f")
    app.runs.fail(claim, error)
    readings = Readings(LedgerReader(database=lambda: app.database).read, patience=60)
    shown = str(served(EngineFamilies(readings=readings, jobs={}, version="0")))
    assert 'job_name="pay"' in shown
    run = app.runs.get(run_id)
    for hidden in (HUSH, "4711", "Declined", run.reference, "token"):
        assert hidden not in shown


@tries("`var/audit`")
def test_whoever_writes_the_heads_can_only_remove_them(app: App) -> None:
    acts(app, "a", "b", "c")
    (file,) = app.audit_heads.folder.iterdir()
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([lines[0], *lines[2:]]))
    assert found_in(app) == set()
    file.write_text("".join(lines[:2]))
    assert found_in(app) == {"heads_missing"}
    file.unlink()
    assert found_in(app) == {"heads_missing"}
    file.write_text("".join([*lines[:2], lines[2].replace('"id": 3', '"id": 2')]))
    assert "heads_edited" in found_in(app)


def test_every_line_of_the_page_is_tried() -> None:
    assert set(LINES) == TRIED
    assert len(LINES) == len(set(LINES)) > 10
