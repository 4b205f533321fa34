"""The tree of commands: what a line that somebody may type would reach in it."""

import shlex
from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from engine.cli.main import cli, noun_and_verb

ROOT_COMMAND = typer.main.get_command(cli)


def every_command() -> Iterator[tuple[str, TyperCommand]]:
    """Each command with the words that reach it: `queue work`."""
    yield from _below(ROOT_COMMAND, ())


def problem_with(line: str) -> str | None:
    """Why `engine ...` could not be typed: an unknown command or option; None if it could."""
    found = ROOT_COMMAND
    name, *words = shlex.split(line, comments=True)
    assert name == "engine", line
    words = noun_and_verb(words)
    for word in words:
        if word in {"|", ">", "&&"}:
            break
        if word.startswith("-") and word != "-":
            known = {
                each for param in found.params for each in (*param.opts, *param.secondary_opts)
            }
            if word.partition("=")[0] not in {*known, "--help"}:
                return f"{found.name} has no option {word}"
        elif isinstance(found, TyperGroup):
            if word not in found.commands:
                return f"{found.name} has no command {word}"
            found = found.commands[word]
    return None


def _below(group: object, words: tuple[str, ...]) -> Iterator[tuple[str, TyperCommand]]:
    assert isinstance(group, TyperGroup)
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _below(command, (*words, name))
        else:
            assert isinstance(command, TyperCommand)
            yield " ".join((*words, name)), command
