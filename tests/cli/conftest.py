"""A home for commands: the project's own files and a small canteen, one night reconciled."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from engine.app import App
from tests.builders.app import ROOT, a_canteen
from tests.builders.clock import FakeClock
from tests.builders.command_server import run_command
from tests.builders.world import AS_OF, a_world
from tests.unit.reconciliation.test_service import an_attempt

Done = subprocess.CompletedProcess[str]
Engine = Callable[..., Done]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which run 1 reconciled the wallets; commands of all tests share it."""
    folder = tmp_path_factory.mktemp("home")
    world = a_world(folder, wallets=60, entries=900, faults=5)
    copyfile(ROOT / "schedules.yaml", folder / "schedules.yaml")
    (folder / ".env").write_text(f"ENGINE_SOURCES__CANTEEN=sqlite:///{world.path}\n")
    app = a_canteen(folder, world, FakeClock(AS_OF))
    reconcile_once(app)
    app.close()
    return folder


def reconcile_once(app: App) -> None:
    """One run of the reconcile job, carried out here."""
    attempt = an_attempt(app)
    app.runs.succeed(attempt.claim, app.reconciliations.run(attempt, "wallets"))


def engine_in(home: Path) -> Engine:
    """Runs commands in this home, or in another one."""

    def run(*arguments: str, **changes: str) -> Done:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ENGINE_")}
        environment = inherited | {"ENGINE_HOME": str(home), "PYTHONPATH": str(ROOT)} | changes
        return run_command(arguments, environment, timeout=60)

    return run


@pytest.fixture
def engine(home: Path) -> Engine:
    """Runs a command in the home, or in another one."""
    return engine_in(home)


@pytest.fixture
def told(engine: Engine) -> Callable[..., Any]:
    """What a command prints with --json."""

    def tell(*arguments: str) -> Any:
        done = engine(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return tell
