"""The standard streams may be full, closed or left by their reader: one line at most, no trace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.app import ROOT

COMMANDS = ["runs list", "runs list --json", "jobs", "--help", "runs --help"]


def _shell(home: Path, line: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `engine` is ours."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ENGINE_", "PYTHON"))}
    environment = inherited | {"ENGINE_HOME": str(home), "PYTHONPATH": str(ROOT)} | changes
    script = f'set -o pipefail; engine() {{ "{sys.executable}" -m engine "$@"; }}; {line}'
    return subprocess.run(  # noqa: S603 - our own interpreter and module
        ["/bin/bash", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_stdout_is_one_line_and_exit_1(
    tmp_path: Path, command: str, unbuffered: str
) -> None:
    done = _shell(tmp_path, f"engine {command} > /dev/full", PYTHONUNBUFFERED=unbuffered)
    said = "engine: stdout cannot be written to: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_seen_enough_ends_the_command_as_sigpipe_would(
    tmp_path: Path, command: str
) -> None:
    done = _shell(tmp_path, f"engine {command} | true")
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_closed_stream_changes_nothing(tmp_path: Path, redirection: str) -> None:
    done = _shell(tmp_path, f"engine runs list {redirection}")
    assert (done.returncode, done.stderr) == (0, "")
    assert ("No runs yet" in done.stdout) is (">&-" not in redirection.replace("2>&-", ""))
    assert _shell(tmp_path, f"engine runs show 9999 {redirection}").returncode == 3


def test_a_terminal_without_arabic_letters_is_shown_their_numbers(tmp_path: Path) -> None:
    done = _shell(tmp_path, "engine runs show رحلة", PYTHONIOENCODING="ascii")
    assert done.returncode == 3
    assert r"\u0631" in done.stderr


def test_what_was_wrong_before_stays_the_exit_code(tmp_path: Path) -> None:
    assert _shell(tmp_path, "engine runs list --state no > /dev/full").returncode == 2
