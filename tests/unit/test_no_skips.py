import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SKIPPING = {
    "by itself": "import pytest\ndef test_it(): pytest.skip('no server')",
    "by mark": "import pytest\n@pytest.mark.skip(reason='no server')\ndef test_it(): pass",
    "as a module": "import pytest\npytest.skip('no server', allow_module_level=True)",
}
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_it(): assert False"


@pytest.mark.parametrize("source", SKIPPING.values(), ids=[*SKIPPING])
def test_a_skipped_test_fails_on_ci_and_says_why(source: str, tmp_path: Path) -> None:
    code, output = _pytest(tmp_path, source, ci=True)
    assert code != 0
    assert "no server" in output
    assert "every test must run" in output


def test_a_skipped_test_is_only_skipped_elsewhere(tmp_path: Path) -> None:
    code, output = _pytest(tmp_path, SKIPPING["by itself"], ci=False)
    assert (code, "1 skipped" in output) == (0, True)


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    code, output = _pytest(tmp_path, EXPECTED_FAILURE, ci=True)
    assert (code, "1 xfailed" in output) == (0, True)


def _pytest(folder: Path, source: str, *, ci: bool) -> tuple[int, str]:
    (folder / "test_example.py").write_text(source, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.no_skips", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CI": "true" if ci else ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr
