"""LibreOffice, without a window: what it finds in a workbook, sheet by sheet."""

import csv
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Comma, double quotes, UTF-8, from the first line; values and not how they look; every sheet.
_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"

Sheets = Mapping[str, Sequence[Sequence[str]]]


def sheets_of(workbooks: Mapping[str, bytes], folder: Path) -> Mapping[str, Sheets]:
    """The cells of each sheet of each workbook, as LibreOffice writes them into CSV."""
    for name, data in workbooks.items():
        (folder / f"{name}.xlsx").write_bytes(data)
    subprocess.run(  # noqa: S603
        [  # noqa: S607
            "soffice",
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            _CSV,
            "--outdir",
            folder / "csv",
            *(folder / f"{name}.xlsx" for name in workbooks),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return {name: _read(folder / "csv", name) for name in workbooks}


def _read(folder: Path, name: str) -> Sheets:
    sheets = {}
    for path in folder.glob(f"{name}-*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            sheets[path.stem.removeprefix(f"{name}-")] = [*csv.reader(file)]
    return sheets
