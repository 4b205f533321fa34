"""Shell completion: bash as it is, zsh and fish as their scripts ask."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.completion import VALUES
from tests.builders.app import ROOT
from tests.cli.test_commands import Told

ENGINE = Path(sys.executable).with_name("engine")


def _environment(home: Path, **more: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ENGINE_", "_"))}
    path = f"{ENGINE.parent}:{os.environ['PATH']}"
    ours = {"ENGINE_HOME": str(home), "PYTHONPATH": str(ROOT), "PATH": path}
    return inherited | ours | more


def _bash(script: str, environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own script
        ["/bin/bash", "--norc", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def offered(home: Path, *words: str) -> list[str]:
    """What bash offers when Tab is pressed behind these words."""
    line = " ".join(f"'{word}'" for word in words)
    script = f"""
        completion=$(engine --show-completion)
        eval "$completion"
        COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}
        _engine_completion engine
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return [line for line in _bash(script, _environment(home)).splitlines() if line]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("engine", "sched"), ["scheduler", "schedules"]),
        (("engine", "queue", "re"), ["restart", "resume", "retry"]),
        (("engine", "run", "rec"), ["reconcile"]),
        (("engine", "run", "reconcile", "-p", "def"), ["definition="]),
        (("engine", "runs", "list", "--state", "fai"), ["failed"]),
        (("engine", "runs", "list", "--schedule", "nightly-"), ["nightly-wallets"]),
        (("engine", "runs", "list", "--queue", "def"), ["default"]),
        (("engine", "queue", "work", "--queue", "default,def"), ["default,default"]),
        (("engine", "breaks", "list", "--status", "auto"), ["auto_closed"]),
        (("engine", "breaks", "list", "--reconciliation", "w"), ["wallets"]),
        (("engine", "schedules", "next", "nightly-w"), ["nightly-wallets"]),
        (("engine", "artifacts", "get", "1"), ["1"]),
        (("engine", "run", "no_such"), []),
    ],
)
def test_bash_is_offered_what_there_is(home: Path, words: list[str], wanted: list[str]) -> None:
    assert sorted(offered(home, *words)) == wanted


def test_the_references_of_runs_are_offered(home: Path, told: Told) -> None:
    reference = told("runs", "show", "1")["reference"]
    assert offered(home, "engine", "runs", "logs", reference[:4]) == [reference]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_offered_the_same(home: Path, shell: str) -> None:
    asked = {"_TYPER_COMPLETE_ARGS": "engine run rec", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    said = _bash("engine", _environment(home, _ENGINE_COMPLETE=f"complete_{shell}", **asked))
    assert "reconcile" in said
    script = _bash("engine", _environment(home, _ENGINE_COMPLETE=f"source_{shell}"))
    assert f"_ENGINE_COMPLETE=complete_{shell}" in script


def test_completing_makes_no_ledger_and_says_nothing_of_what_is_wrong(tmp_path: Path) -> None:
    assert offered(tmp_path, "engine", "runs", "show", "") == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".env").write_text("ENGINE_QUEUE_URL=amqp://queue\n")
    assert offered(tmp_path, "engine", "run", "rec") == []


def test_a_job_that_prints_when_it_is_imported_is_not_offered_as_that(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").touch()
    (tmp_path / "jobs" / "loud.py").write_text(
        "from engine.authoring import job\nprint('red herring')\n@job()\ndef red(context): ...\n"
    )
    assert offered(tmp_path, "engine", "run", "re") == ["red"]


def test_it_is_installed_for_the_shell_that_asks(home: Path, tmp_path: Path) -> None:
    said = _bash("engine --install-completion; true", _environment(home, HOME=str(tmp_path)))
    assert "bash completion installed" in said
    assert ".bash_completions/engine.sh" in (tmp_path / ".bashrc").read_text()


def test_values_are_offered_for_everything_that_has_a_name() -> None:
    assert {"JOB", "QUEUE", "RUN", "SCHEDULE", "RECONCILIATION", "ARTIFACT"} <= set(VALUES)
