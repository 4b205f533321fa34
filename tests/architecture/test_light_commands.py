import subprocess
import sys

import pytest

HEAVY = {
    "adbc_driver_manager",
    "alembic",
    "apscheduler",
    "duckdb",
    "fsspec",
    "huey",
    "jinja2",
    "pandas",
    "pyarrow",
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


@pytest.mark.parametrize("arguments", [["--help"], ["queue", "--help"], ["breaks", "--help"]])
def test_help_imports_no_heavy_library(arguments: list[str]) -> None:
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True
    )
    imported = ended.stdout.rpartition("imported:")[2].split()
    assert "engine.cli.main" in imported
    assert HEAVY.intersection(imported) == set()
