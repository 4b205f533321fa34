import os
import pwd
from pathlib import Path

import pytest

from engine.operations import actor
from engine.operations.actor import Actor, operating_system_login

ME = pwd.getpwuid(os.getuid()).pw_name
# Somebody else whom this machine knows.
OTHER = next(each for each in pwd.getpwall() if each.pw_uid != os.getuid())


def test_the_login_is_the_one_that_the_kernel_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME", "USERNAME", "LNAME"):
        monkeypatch.setenv(name, "mallory")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert operating_system_login() == Actor(ME)


def test_a_login_is_no_proof_of_a_user() -> None:
    assert operating_system_login().authenticated is False
    assert operating_system_login().role is None


@pytest.mark.parametrize("claim", [OTHER.pw_name, "mallory", "", "x) by admin", "\0", ME])
def test_nobody_becomes_another_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, claim: str
) -> None:
    monkeypatch.setattr(actor, "_uids_of_ancestors", lambda: {os.getuid()})
    monkeypatch.setattr(os, "environ", {"SUDO_USER": claim})
    assert str(operating_system_login()) == ME


def test_the_person_behind_sudo_is_noted_when_this_process_comes_from_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(actor, "_uids_of_ancestors", lambda: {os.getuid(), OTHER.pw_uid})
    monkeypatch.setenv("SUDO_USER", OTHER.pw_name)
    assert str(operating_system_login()) == f"{ME} (sudo from {OTHER.pw_name})"


def test_the_processes_that_this_one_comes_from_are_asked_of_the_kernel() -> None:
    parent = Path(f"/proc/{os.getppid()}").stat().st_uid
    assert parent in actor._uids_of_ancestors()


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert str(operating_system_login()) == "uid 54321"
