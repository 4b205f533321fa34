import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "adbc_driver_manager",
    "alembic",
    "botocore",
    "apscheduler",
    "duckdb",
    "fsspec",
    "huey",
    "jinja2",
    "pandas",
    "paramiko",
    "psycopg",
    "pyarrow",
    "s3fs",
    "weasyprint",
    "xlsxwriter",
}
SCRIPT = """
import sys
from engine.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("imported:", *sys.modules)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["queue", "--help"], ["queue", "retry", "--help"], ["doctor", "--help"]],
)
def test_help_imports_no_heavy_library(arguments: list[str]) -> None:
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True
    )
    imported = ended.stdout.rpartition("imported:")[2].split()
    assert "engine.cli.main" in imported
    assert HEAVY.intersection(imported) == set()


def test_a_ledger_in_a_file_needs_no_client_of_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path))
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SCRIPT, "runs", "list"], capture_output=True, text=True, check=True
    )
    imported = ended.stdout.rpartition("imported:")[2].split()
    assert "engine.store.runs" in imported
    assert "psycopg" not in imported
