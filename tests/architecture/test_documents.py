"""README.md and ARCHITECTURE.md say what the code does."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from engine.cli.main import cli
from engine.settings import Settings
from engine.states import BREAK, RUN, Machine

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
DRAWINGS = re.findall(r"```mermaid\n(stateDiagram.*?)```", ARCHITECTURE, re.DOTALL)
FLOORS = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", ARCHITECTURE, re.MULTILINE)

# `engine ...` at the start of a line of a code block, with or without the path of the script.
COMMANDS = re.findall(r"^(?:\.venv/bin/)?engine (.+?)(?:\s+#.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("field", [*Settings.model_fields])
def test_every_setting_is_documented(field: str) -> None:
    name = f"{field.upper()}__<NAME>" if field in ("sources", "databases") else field.upper()
    assert f"| `ENGINE_{name}` |" in ARCHITECTURE


@pytest.mark.parametrize(("drawing", "machine"), [(0, RUN), (1, BREAK)], ids=["run", "break"])
def test_the_drawing_has_every_state_and_move_and_no_other(
    drawing: int, machine: Machine[StrEnum]
) -> None:
    drawn = set(re.findall(r"^\s*(\w+) --> (\w+)", DRAWINGS[drawing], re.MULTILINE))
    moves = {(str(a), str(b)) for a, targets in machine.moves.items() for b in targets}
    assert drawn == moves


def test_the_floors_are_those_that_the_linter_enforces() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    # A name in parentheses is not built yet.
    built = [{name for name in re.split(r" \| ", layer) if name[0] != "("} for layer in layers]
    documented = [set(re.findall(r"`([a-z_]+)`", floor)) for floor in FLOORS]
    assert documented == [floor for floor in built if floor]


def test_every_module_of_the_engine_is_on_a_floor() -> None:
    modules = {
        path.stem
        for path in (ROOT / "engine").iterdir()
        if path.name[0] != "_" and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert modules == {name for floor in FLOORS for name in re.findall(r"`([a-z_]+)`", floor)}


def test_the_readme_shows_commands() -> None:
    assert len(COMMANDS) > 5


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_exists_with_its_options(command: str) -> None:
    found = typer.main.get_command(cli)
    for word in shlex.split(command):
        if word.startswith("-") and word != "-":
            known = {each for param in found.params for each in param.opts}
            assert word in {*known, "--help"}, f"{found.name} has no option {word}"
        elif isinstance(found, TyperGroup):
            assert word in found.commands, f"{found.name} has no command {word}"
            found = found.commands[word]


def test_no_file_speaks_of_the_machine_it_was_written_on() -> None:
    machine = re.compile(
        r"(?<![\w.}])/(?:work|root|opt|tmp/w)/|(?:py[p]i|npm[j]s|deb[.]debian)[.](?:org|com)|python[h]osted"
    )
    for path in _files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        found = machine.search(text)
        assert found is None, f"{path.relative_to(ROOT)} has {found}"


def _files() -> Iterator[Path]:
    ignored = {
        ".git",
        ".venv",
        ".env",
        ".hypothesis",
        "var",
        "build",
        "dist",
        "htmlcov",
        "__pycache__",
    }
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        private = any(part in ignored or part.endswith(("_cache", ".egg-info")) for part in parts)
        if path.is_file() and not private:
            yield path
