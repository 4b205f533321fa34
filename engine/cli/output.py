"""What commands print: one JSON document, or plain aligned columns; logs go to stderr."""

import json
import logging
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Annotated, Any

import typer

from engine.cli.plain import on_one_line
from engine.cli.table import fits, lay_out, wrapped

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
    spare: Collection[str] = (),
    whole: bool = False,
) -> None:
    """Print rows in aligned columns, numbers and those in `right` to the right.

    `empty` is said when there are none. On a terminal the lines are as long as it is wide; columns
    in `spare` are left out of one that is too narrow for all. What is piped is whole, as is
    each cell if `whole`.
    """
    if not rows:
        print(empty)
        return
    for line in _table(rows, columns, right, spare, terminal_width(), whole):
        print(line)


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values, one a line; those without a value are left out."""
    shown = {name: text_of(value) for name, value in facts.items() if value not in (None, "")}
    margin = max(map(len, shown), default=0) + 2
    width = terminal_width()
    for name, text in shown.items():
        lines = [text]
        if width is not None:
            lines = wrapped(text, max(width - margin, 20), most_lines=1_000)
        for head, line in zip_longest([name.replace("_", " ")], lines, fillvalue=""):
            print(f"{head:<{margin}}{line}")


def terminal_width() -> int | None:
    """The columns of the terminal that stdout is; None if it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def is_coloured() -> bool:
    """Whether stdout is a terminal whose user has nothing against colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def local(instant: datetime | None) -> str:
    """An instant in the machine's zone, as people read it."""
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S") if instant else ""


def log_to_stderr(secrets: Iterable[str] = ()) -> None:
    """Log lines of a long-running process, with their facts and without `secrets`, on stderr."""
    from engine.huey_app.log_lines import WithFacts
    from engine.redaction.known import Secrets

    handler = logging.StreamHandler(sys.stderr)
    line = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(WithFacts(line, Secrets(secrets).hidden_in))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for chatty in ("huey", "apscheduler", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def text_of(value: object) -> str:
    """A value as a cell shows it, on one line; what would steer a terminal is spelt out."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return local(value)
    return on_one_line(value)


def _table(
    rows: Sequence[Mapping[str, object]],
    columns: Sequence[str],
    right: Collection[str],
    spare: Collection[str],
    width: int | None,
    whole: bool,
) -> list[str]:
    heads, texts = _cells(rows, columns)
    if width is not None and spare and not fits(heads, texts, width):
        columns = [each for each in columns if each not in spare]
        heads, texts = _cells(rows, columns)
    numeric = [
        column in right or all(isinstance(row.get(column), int) for row in rows)
        for column in columns
    ]
    most_lines = {"most_lines": 1_000} if whole else {}
    return [*lay_out(heads, texts, numeric, width, **most_lines)]


def _cells(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    texts = [[text_of(row.get(column)) for column in columns] for row in rows]
    return [column.replace("_", " ").upper() for column in columns], texts
