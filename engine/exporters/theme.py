"""The theme: colours, sizes and margins of pages, from one file for style sheet and drawer."""

import re
import tomllib
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.errors import Invalid

THEME = Path(__file__).with_name("pages") / "theme.toml"
_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_WRITTEN_AS = {str: "a colour such as #1f3a5f", float: "a number above 0", int: "a whole number"}


class BadTheme(Invalid):
    """A theme file says something that is no theme."""

    message = "theme {path}: {problem}"


@dataclass(frozen=True, kw_only=True)
class Theme:
    """What pages look like; `theme.toml` says what each of these is for."""

    ink: str
    muted: str
    accent: str
    on_accent: str
    rule: str
    zebra: str
    totals: str
    alarm: str
    alarm_ground: str
    notice_ground: str
    link: str
    margin_top: float
    margin_side: float
    margin_bottom: float
    title_size: float
    heading_size: float
    text_size: float
    running_size: float
    table_sizes: tuple[float, ...]
    cell_padding: float
    row_padding: float
    cell_lines: int

    @property
    def variables(self) -> str:
        """The theme as CSS custom properties: `--ink`, `--margin-top` and so on."""
        said = []
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "table_sizes":
                said += [f"--table-size-{place}: {size}pt" for place, size in enumerate(value)]
            elif each.name != "cell_lines":
                unit = "mm" if each.name.startswith("margin") else "pt"
                name = each.name.replace("_", "-")
                said.append(f"--{name}: {value if isinstance(value, str) else f'{value}{unit}'}")
        return "; ".join(said)


@lru_cache(maxsize=8)
def theme_of(folder: Path | None) -> Theme:
    """The engine's theme, with what a `theme.toml` of the templates folder says instead."""
    said = _read(THEME)
    own = folder / THEME.name if folder else None
    if own is not None and own.is_file():
        said |= _checked(_read(own), own)
    values: Any = {name: tuple(v) if isinstance(v, list) else v for name, v in said.items()}
    return Theme(**values)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadTheme(path=path, problem=str(error)) from error


def _checked(said: dict[str, Any], path: Path) -> dict[str, Any]:
    types = {each.name: each.type for each in fields(Theme)}
    for name, value in said.items():
        if name not in types:
            raise BadTheme(path=path, problem=f"{name!r} is nothing that a theme says")
        many = types[name] == tuple[float, ...]
        if many and not (isinstance(value, list) and value):
            raise BadTheme(path=path, problem=f"{name} is a list of numbers")
        for one in value if many else [value]:
            kind = float if many else types[name]
            if not _is_a(one, kind):
                raise BadTheme(path=path, problem=f"{name} is {_WRITTEN_AS[kind]}, not {one!r}")  # type: ignore[index]
    return said


def _is_a(value: Any, kind: Any) -> bool:
    if kind is str:
        return isinstance(value, str) and _COLOUR.fullmatch(value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float if kind is float else int):
        return False
    return 0 < value < 1000
