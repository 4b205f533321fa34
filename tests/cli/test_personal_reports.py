"""What is somebody's own in reports: who may ask for it, who may have it, and what is kept."""

import json
from pathlib import Path

import pytest

from engine.app import App
from tests.builders.app import a_canteen
from tests.builders.clock import FakeClock
from tests.builders.report_run import AReportAttempt
from tests.builders.world import AS_OF, a_world
from tests.cli.conftest import Engine, engine_in
from tests.cli.test_users import a_user

STATEMENT = ("reports", "run", "wallet_statement", "-p", "wallet=700001", "--period", "2026-11")


@pytest.fixture
def app(tmp_path: Path) -> App:
    """A canteen with nothing booked."""
    world = a_world(tmp_path, wallets=60, entries=900, faults=5)
    (tmp_path / "schedules.yaml").write_text("schedules: {}\n")
    (tmp_path / ".env").write_text(f"ENGINE_SOURCES__CANTEEN=sqlite:///{world.path}\n")
    return a_canteen(tmp_path, world, FakeClock(AS_OF))


@pytest.fixture
def engine(tmp_path: Path, app: App) -> Engine:
    """Runs commands in its home."""
    return engine_in(tmp_path)


def test_only_who_has_the_role_may_ask_for_what_is_personal(engine: Engine, app: App) -> None:
    sara = a_user(engine, "sara", "admin")
    omar = a_user(engine, "omar", "operator", **sara)
    noura = a_user(engine, "noura", "approver", **sara)
    assert engine(*STATEMENT, **omar).returncode == 0
    for command in (
        (*STATEMENT, "--personal"),
        ("run", "report", "-p", "name=wallet_statement", "-p", "wallet=7", "-p", "personal=true"),
        ("run", "export", "-p", "name=wallet_statement", "-p", "wallet=7", "-p", "personal=yes"),
    ):
        refused = engine(*command, **omar)
        assert (refused.returncode, "omar is operator" in refused.stderr) == (5, True)
    assert [run.params.get("personal") for run in app.runs.newest()] == [None]
    booked = json.loads(engine(*STATEMENT, "--personal", "--json", **noura).stdout)
    assert booked["params"]["personal"] is True
    listed = json.loads(engine("audit", "list", "--json", **sara).stdout)["entries"]
    asked = [each for each in listed if each["subject"] == f"run {booked['id']}"]
    assert [each["actor"] for each in asked] == ["noura"]
    assert asked[0]["facts"]["params"]["personal"] is True
    assert engine_gets_it(engine, app, booked["id"], noura) == 0
    assert engine_gets_it(engine, app, booked["id"], omar) == 5


def engine_gets_it(engine: Engine, app: App, run_id: int, user: dict[str, str]) -> int:
    """Whether somebody can download what that run made; it is made first if it was not yet."""
    if not app.artifacts.list(run_id=run_id):
        run = app.runs.get(run_id)
        claim = app.runs.claim(run_id, "a worker")
        assert claim is not None
        params = {"params": run.params["params"], "period": run.params["period"]}
        attempt = AReportAttempt(claim, run.reference)
        app.reports.run(
            attempt, "wallet_statement", personal=True, formats=["csv"], locales=["en"], **params
        )
    found = next(each for each in app.artifacts.list(run_id=run_id) if each.report is not None)
    return engine("artifacts", "get", str(found.id), "-o", "-", **user).returncode
