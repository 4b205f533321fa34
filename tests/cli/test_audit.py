"""`engine audit`: every act of an operator is in it, with who, what and why."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from engine.cli.acting import NEEDS
from engine.store.database import Database
from engine.store.run import RunError
from engine.store.runs import RunStore
from engine.store.user_tables import audit_entries
from tests.builders.audit import tampering
from tests.builders.database import a_database
from tests.builders.run import a_claim, a_run
from tests.cli.conftest import Engine, engine_in
from tests.cli.test_users import a_home

WHY = ("--reason", "a test")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of a ledger without runs."""
    return a_home(tmp_path)


@pytest.fixture
def engine(home: Path) -> Engine:
    """Runs a command there."""
    return engine_in(home)


def the_ledger(home: Path) -> Database:
    (home / "var").mkdir(exist_ok=True)
    return a_database(home / "var")


def a_failed_run(database: Database, *, needs_review: bool = False) -> str:
    claim = a_claim(database)
    error = RunError(type="Boom", message="it did", fingerprint="f")
    RunStore(database).fail(claim, error, needs_review=needs_review)
    return str(claim.run_id)


def test_what_each_command_does_is_in_the_audit(home: Path, engine: Engine) -> None:
    ledger = the_ledger(home)
    done = {
        "run": ("run", engine("run", "purge_expired_artifacts")),
        "queue retry": ("retry", engine("queue", "retry", a_failed_run(ledger), *WHY)),
        "queue forget": (
            "discard", engine("queue", "forget", a_failed_run(ledger), "--yes", *WHY),
        ),
        "queue cancel": ("cancel", engine("queue", "cancel", str(a_run(ledger)), *WHY)),
        "runs cancel": ("cancel", engine("runs", "cancel", str(a_run(ledger)), *WHY)),
        "queue pause": ("pause", engine("queue", "pause", "default", *WHY)),
        "queue resume": ("resume", engine("queue", "resume", "default")),
        "queue clear": ("cancel", engine("queue", "clear", "--yes", *WHY)),
    }  # fmt: skip
    a_failed_run(ledger)
    done["queue flush"] = "discard", engine("queue", "flush", "--yes", *WHY)
    a_failed_run(ledger)
    done["queue prune"] = "discard", engine("queue", "prune", "--hours", "0", "--yes", *WHY)
    failed = a_failed_run(ledger, needs_review=True)
    done["runs review"] = "approve", engine("runs", "review", failed, "--approve", *WHY)
    assert [each.stderr for _, each in done.values() if each.returncode] == []
    listed: Any = json.loads(engine("audit", "list", "--json").stdout)
    assert [entry["act"] for entry in reversed(listed["entries"])] == [
        act for act, _ in done.values()
    ]
    assert listed["total"] == len(done)
    assert {entry["facts"]["by"] for entry in listed["entries"]} == {"login"}
    reasons = {entry["act"]: entry["reason"] for entry in listed["entries"]}
    assert reasons["retry"] == reasons["discard"] == reasons["approve"] == "a test"
    discarded = [entry["facts"] for entry in listed["entries"] if entry["act"] == "discard"]
    assert [list(facts.get("filter", {})) for facts in discarded] == [["until"], [], []]
    by_user = ("users add", "users role", "users disable", "users token", "users revoke")
    elsewhere = {"queue restart", "reports run", "secrets rotate", *by_user}
    assert set(NEEDS) == set(done) | elsewhere
    ledger.dispose()


def test_the_audit_is_verified_and_what_was_done_to_it_is_told(home: Path, engine: Engine) -> None:
    ledger = the_ledger(home)
    for command in ("pause", "resume", "pause"):
        assert engine("queue", command, "default").returncode == 0
    fine = engine("audit", "verify")
    assert (fine.returncode, fine.stdout[:31]) == (0, "3 entries and 3 heads agree; th")
    with tampering(ledger) as connection:
        edited = update(audit_entries).where(audit_entries.c.id == 2)
        connection.execute(edited.values(actor="omar"))
        connection.execute(delete(audit_entries).where(audit_entries.c.id == 3))
    found = engine("audit", "verify")
    assert found.returncode == 1
    assert "EDITED  entry 2" in found.stdout
    assert "CUT  the audit ends with entry 2, and its heads know of 3" in found.stdout
    told: Any = json.loads(engine("audit", "verify", "--json").stdout)
    assert told["valid"] is False
    assert [finding["kind"] for finding in told["findings"]] == ["edited", "cut"]
    ledger.dispose()


def test_a_head_of_a_log_is_compared_too(engine: Engine) -> None:
    engine("queue", "pause", "default")
    (entry,) = json.loads(engine("audit", "list", "--json").stdout)["entries"]
    assert engine("audit", "verify", "--head", f"1:{entry['mac']}").returncode == 0
    assert "REWRITTEN" in engine("audit", "verify", "--head", "1:other").stdout
    assert "CUT" in engine("audit", "verify", "--head", "2:other").stdout
    assert engine("audit", "verify", "--head", "nonsense").returncode == 2
    assert engine("audit", "verify", "--heads", "/not/there").returncode == 2


def test_entries_are_listed_by_what_they_say(engine: Engine) -> None:
    engine("queue", "pause", "default", *WHY)
    engine("queue", "resume", "default")
    paused = engine("audit", "list", "--act", "pause", "--subject", "queue default").stdout
    assert "a test" in paused
    assert "resume" not in paused
    nobody = engine("audit", "list", "--actor", "nobody", "--since", "1h")
    assert nobody.stdout == "Nobody did anything like that.\n"
    assert "1 of 2 shown" in engine("audit", "list", "--limit", "1").stdout
    assert engine("audit", "list", "--since", "yesterday").returncode == 2


def test_an_act_that_nobody_can_do_is_no_filter(engine: Engine) -> None:
    refused = engine("audit", "list", "--act", "pauze")
    assert refused.returncode == 2
    assert "did you mean 'pause'?" in refused.stderr
