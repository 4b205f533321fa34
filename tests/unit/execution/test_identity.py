"""What a process says of itself: its version changes with the code, its manager is known."""

import os
from pathlib import Path

import pytest

from engine.execution.identity import Identity, code_version
from engine.execution.manager import manager_of


def test_the_version_changes_with_the_jobs(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    (jobs / "pay.py").write_text("one = 1\n")
    first = code_version(tmp_path)
    assert code_version(tmp_path) == first
    assert first.count("+") == 1
    (jobs / "pay.py").write_text("one = 2\n")
    assert code_version(tmp_path) != first


def test_whom_it_replaces_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ENGINE_REPLACES", "host:7:abc")
    identity = Identity.here(tmp_path, under_up=True)
    assert (identity.replaces, identity.manager) == ("host:7:abc", "engine up")
    assert Identity.here(tmp_path).replaces is None
    assert "_ENGINE_REPLACES" not in os.environ


@pytest.mark.parametrize(
    ("environment", "parent_name", "leads_container", "manager"),
    [
        ({}, "bash", False, "none"),
        ({"INVOCATION_ID": "7"}, "systemd", False, "systemd"),
        # In a terminal that systemd started.
        ({"INVOCATION_ID": "7"}, "bash", False, "none"),
        ({"SUPERVISOR_ENABLED": "1"}, "run-worker", False, "supervisor"),
        ({}, "supervisord", False, "supervisor"),
        # In a shell somewhere below supervisor.
        ({"SUPERVISOR_ENABLED": "1"}, "bash", False, "none"),
        ({}, "tini", True, "container"),
        ({"INVOCATION_ID": "7"}, "tini", True, "container"),
    ],
)
def test_a_manager_is_known_by_its_traces(
    environment: dict[str, str], parent_name: str, leads_container: bool, manager: str
) -> None:
    found = manager_of(environment, parent_name=parent_name, leads_container=leads_container)
    assert found == manager
