"""What commands print: one JSON document, or plain aligned columns; logs go to stderr."""

import json
import logging
import sys
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")


def print_table(
    rows: Sequence[Mapping[str, object]],
    columns: Sequence[str],
    *,
    empty: str,
    right: Collection[str] = (),
) -> None:
    """Print rows in aligned columns, numbers and those in `right` to the right.

    `empty` is said when there are none.
    """
    if not rows:
        print(empty)
        return
    texts = [[_text(row.get(column)) for column in columns] for row in rows]
    widths = [
        max(_width(column), *(_width(line[at]) for line in texts))
        for at, column in enumerate(columns)
    ]
    numeric = [
        column in right or all(isinstance(row.get(column), int) for row in rows)
        for column in columns
    ]
    heads = [column.replace("_", " ").upper() for column in columns]
    for line in [heads, *texts]:
        cells = [
            _pad(cell, width, right)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        print("  ".join(cells).rstrip())


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values, one a line; those without a value are left out."""
    shown = {name: _text(value) for name, value in facts.items() if value not in (None, "")}
    width = max(map(len, shown), default=0)
    for name, text in shown.items():
        print(f"{name.replace('_', ' '):<{width}}  {text}")


def local(instant: datetime | None) -> str:
    """An instant in the machine's zone, as people read it."""
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S") if instant else ""


def log_to_stderr() -> None:
    """Log lines of a long-running process, with their facts, on stderr."""
    from engine.huey_app.log_lines import WithFacts

    handler = logging.StreamHandler(sys.stderr)
    line = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(WithFacts(line))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for chatty in ("huey", "apscheduler", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return local(value)
    return " ".join(str(value).split())


def _width(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(bool(unicodedata.combining(letter)) for letter in text)


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space
