"""The commands: what they print, and the exit codes that scripts rely on."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import noun_and_verb
from tests.cli.conftest import Engine

Told = Callable[..., Any]


@pytest.mark.parametrize(
    ("command", "plural"),
    [
        (("jobs",), "jobs"),
        (("runs", "list"), "runs"),
        (("breaks", "list"), "breaks"),
        (("artifacts", "list"), "artifacts"),
        (("schedules", "list"), "schedules"),
        (("schedules", "next"), "firings"),
        (("reconciliations", "list"), "reconciliations"),
        (("queue", "status"), "queues"),
    ],
)
def test_a_list_is_one_document_named_for_what_it_lists(
    told: Told, command: tuple[str, ...], plural: str
) -> None:
    document = told(*command)
    assert document[plural]


def test_a_run_has_the_keys_that_others_rely_on(told: Told) -> None:
    run = told("runs", "show", "1")
    assert {
        *("id", "reference", "job", "queue", "state", "review", "attempt", "params", "result"),
        *("error", "progress", "artifacts", "schedule", "scheduled_for", "due_at", "period"),
        *("revision", "parent_id", "created_at", "started_at", "finished_at", "wait_ms"),
        *("duration_ms", "peak_memory_bytes", "attempts"),
    } <= set(run)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", run["created_at"])
    assert [set(each) for each in run["artifacts"]] == 3 * [
        {
            *("id", "run_id", "name", "media_type", "size", "sha256", "rows", "path"),
            *("report", "version", "quarantined", "created_at", "expires_at"),
        }
    ]


def test_a_break_has_the_keys_that_others_rely_on(told: Told) -> None:
    found = told("breaks", "show", "1")
    assert {
        *("id", "identity", "reconciliation", "check", "code", "class", "status", "wallet"),
        *("entry", "currency", "amount_minor", "expected_minor", "actual_minor", "severity"),
        *("first_seen_at", "last_seen_at", "occurrences", "assignee", "moves", "sightings"),
    } == set(found) - {"details"}


def test_a_downloaded_file_is_the_one_on_record(engine: Engine, told: Told, tmp_path: Path) -> None:
    artifact = told("artifacts", "list")["artifacts"][0]
    target = tmp_path / "report"
    assert engine("artifacts", "get", str(artifact["id"]), "-o", str(target)).returncode == 0
    assert hashlib.sha256(target.read_bytes()).hexdigest() == artifact["sha256"]
    again = engine("artifacts", "get", str(artifact["id"]), "-o", str(target))
    assert again.returncode == 5
    assert "exists" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "reconcil"), 2, "closest known name: 'reconcile'"),
        (("run", "reconcile", "-p", "definition=walets"), 2, "did you mean 'wallets'?"),
        (("run", "reconcile", "-p", "definition=wallets", "-p", "as_of=yesterdy"), 2, "a date"),
        (("run", "reconcile", "-p", "definition"), 2, "name=value"),
        (("run", "reconcile"), 2, "definition"),
        (("run", "reconcile", "-p", "definition=wallets", "--at", "soon"), 2, "--at"),
        (("run", "purge_expired_artifacts", "--queue", "No Such"), 2, "--queue"),
        (("runs", "show", "999"), 3, "no run has the id '999'"),
        (("runs", "logs", "ZZZZ-ZZZZ"), 3, "no run"),
        (("runs", "list", "--state", "asleep"), 2, "succeeded"),
        (("breaks", "show", "999"), 3, "no break"),
        (("breaks", "list", "--status", "shut"), 2, "auto_closed"),
        (("artifacts", "get", "999"), 3, "no artifact"),
        (("schedules", "next", "nightly-walets"), 2, "did you mean 'nightly-wallets'?"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(
    engine: Engine, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = engine(*arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENGINE_DATABASE_URL", "mysql://root:hunter2@db/ledger"),
        ("ENGINE_QUEUE_URL", "amqp://guest:hunter2@queue"),
        ("ENGINE_STORAGE_URL", "file:///dev/null/artifacts"),
        ("ENGINE_HOME", "/no/such/folder"),
        ("ENGINE_FOUR_EYES", "perhaps"),
        ("ENGINE_DATABSE_URL", "sqlite:///x.db"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line_without_its_password(
    engine: Engine, name: str, value: str
) -> None:
    done = engine("runs", "list", **{name: value})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert name in done.stderr
    assert "hunter2" not in done.stderr


def test_a_wrong_schedules_file_is_told_with_its_places(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "schedules.yaml"
    file.write_text("schedules:\n  nightly:\n    job: reconcil\n    cron: '61 * * * *'\n")
    done = engine("schedules", "check", ENGINE_SCHEDULES=str(file))
    assert done.returncode == 2
    assert "schedules.yaml:3:" in done.stderr
    assert "schedules.yaml:4:" in done.stderr
    told = engine("schedules", "check", "--json", ENGINE_SCHEDULES=str(file))
    assert told.returncode == 2
    assert [each["line"] for each in json.loads(told.stdout)["problems"]] == [3, 4]


def test_the_same_key_is_the_same_run(engine: Engine, told: Told) -> None:
    first = told("run", "purge_expired_artifacts", "--key", "spring-clean")
    again = told("run", "purge_expired_artifacts", "--key", "spring-clean")
    assert again["id"] == first["id"]


def test_an_empty_home_says_what_to_do_next(engine: Engine, tmp_path: Path) -> None:
    for noun in ("runs", "artifacts", "breaks", "reconciliations"):
        done = engine(noun, "list", ENGINE_HOME=str(tmp_path))
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def test_a_noun_and_a_verb_may_be_joined_by_a_colon(engine: Engine) -> None:
    assert engine("database:status").stdout == engine("database", "status").stdout


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("queue:retry", ["queue", "retry"]),
        ("queue:listen", ["queue", "work"]),
        ("queue:continue", ["queue", "resume"]),
        ("queue:prune-failed", ["queue", "prune"]),
        ("--queue:retry", ["--queue:retry"]),
        ("a:b:c", ["a:b:c"]),
    ],
)
def test_hands_that_are_trained_on_laravel_are_understood(typed: str, meant: list[str]) -> None:
    assert noun_and_verb([typed, "42"]) == [*meant, "42"]


@pytest.mark.parametrize(("typed", "meant"), [("continue", "resume"), ("prune-failed", "prune")])
def test_laravels_verbs_are_understood_after_a_space_as_well(typed: str, meant: str) -> None:
    assert noun_and_verb(["queue", typed, "42"]) == ["queue", meant, "42"]
    assert noun_and_verb(["runs", typed]) == ["runs", typed]
