"""`engine`: noun then verb. Errors become one line on stderr and an exit code."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

import typer
from typer.core import TyperGroup

from engine.cli import (
    artifacts,
    audit,
    breaks,
    database,
    demo,
    doctor,
    events,
    jobs,
    queue,
    reconciliations,
    reports,
    run,
    runs,
    schedules,
    secrets,
    up,
    users,
)
from engine.cli.acting import command
from engine.cli.streams import Streams
from engine.errors import EngineError, Invalid

# What Laravel calls what is called otherwise here.
_VERBS: Mapping[tuple[str, ...], str] = {
    ("queue", "listen"): "work",
    ("queue", "continue"): "resume",
    ("queue", "prune-failed"): "prune",
}

cli = typer.Typer(
    name="engine",
    help="Scheduled batch and reporting engine for wallets and ledgers.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
cli.command("demo")(demo.demo)
cli.command("up")(up.up)
cli.command("scheduler")(up.scheduler)
cli.command("run")(run.run)
cli.command("jobs")(jobs.jobs)
cli.command("doctor")(doctor.doctor)
for group, name in (
    (runs.cli, "runs"),
    (queue.cli, "queue"),
    (schedules.cli, "schedules"),
    (events.cli, "events"),
    (breaks.cli, "breaks"),
    (artifacts.cli, "artifacts"),
    (reports.cli, "reports"),
    (reconciliations.cli, "reconciliations"),
    (database.cli, "database"),
    (audit.cli, "audit"),
    (users.cli, "users"),
    (secrets.cli, "secrets"),
):
    cli.add_typer(group, name=name)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command that the arguments name, and exit."""
    streams = Streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(streams.end(_exit_code(given, streams)))


def _exit_code(given: list[str], streams: Streams) -> int:
    try:
        _refuse_broken_text(given)
        if "_ENGINE_COMPLETE" in os.environ:
            from engine.cli.completion import offer_values

            offer_values(cli)
        arguments = noun_and_verb(given)
        if (text := help_of(arguments)) is not None:
            print(text)
            return 0
        command.set(command_of(arguments))
        cli(arguments, prog_name="engine")
    except EngineError as error:
        streams.complain(str(error))
        return error.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except OSError:
        if not streams.are_broken:
            raise
        return 1
    return 0


def help_of(arguments: Sequence[str]) -> str | None:
    """What `NOUN VERB --help` prints; None for anything else.

    Typer parses before it prints, for which it imports pydantic: half of what help may cost.
    """
    if list(arguments[-1:]) != ["--help"]:
        return None
    found = typer.main.get_command(cli)
    context = typer.Context(found, info_name="engine")
    for word in arguments[:-1]:
        if not isinstance(found, TyperGroup) or word not in found.commands:
            return None
        found = found.commands[word]
        context = typer.Context(found, info_name=word, parent=context)
    return found.get_help(context)


def command_of(arguments: Sequence[str]) -> str:
    """The words that reach the command: `queue retry`, or `run`."""
    nouns = {group.name for group in cli.registered_groups}
    return " ".join(arguments[: 2 if arguments and arguments[0] in nouns else 1])


class BrokenText(Invalid):
    """An argument is not text."""

    message = "the argument {text!r} is not UTF-8"


def _refuse_broken_text(arguments: Sequence[str]) -> None:
    for each in arguments:
        try:
            each.encode()
        except UnicodeEncodeError:
            raise BrokenText(text=each) from None


def noun_and_verb(arguments: list[str]) -> list[str]:
    """`queue:work` as `queue work`, for hands trained on Laravel, and its verbs as ours."""
    words = list(arguments)
    if words and words[0].count(":") == 1 and not words[0].startswith("-"):
        words[:1] = words[0].split(":")
    if (ours := _VERBS.get(tuple(words[:2]))) is not None:
        words[1] = ours
    return words
