"""The processes that descend from another one, as the kernel tells of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.attempt.tree import own_children, read_tree


@pytest.mark.parametrize("has_list", [True, False], ids=["with a list", "without one"])
def test_own_children_are_known_whatever_the_kernel_was_built_with(
    monkeypatch: pytest.MonkeyPatch, has_list: bool
) -> None:
    if not has_list:
        monkeypatch.setattr(Path, "read_bytes", _missing)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in own_children()
        assert own_children() == set(read_tree().children[os.getpid()])


def test_a_child_that_has_ended_is_one_until_it_is_waited_for() -> None:
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.pid in own_children()
    child.wait()
    assert child.pid not in own_children()


def _missing(_: Path) -> bytes:
    raise FileNotFoundError
