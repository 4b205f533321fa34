"""What holds for every command: examples that can be typed, JSON, help that costs little."""

import re
import resource
import subprocess
import sys

import pytest
import typer
from typer.core import TyperCommand

from engine.cli.main import help_of
from tests.builders.commands import ROOT_COMMAND, every_command, problem_with

COMMANDS = dict(every_command())
# They go on for as long as they work, or make what other commands show.
WITHOUT_JSON = {
    "up": "a process tree that logs until it is stopped",
    "scheduler": "a process that logs until it is stopped",
}
CPU_SECONDS = 0.3


@pytest.fixture(params=COMMANDS)
def words(request: pytest.FixtureRequest) -> str:
    """The words that reach a command."""
    found: str = request.param
    return found


def examples_of(command: TyperCommand) -> list[str]:
    """The lines below `Examples:`, as its help shows them."""
    context = typer.Context(command, info_name=command.name)
    _, _, below = command.get_help(context).partition("Examples:\n")
    lines = [line.strip() for line in below.splitlines()]
    return [line for line in lines if line.startswith("engine ")]


def test_its_help_has_examples_that_can_be_typed(words: str) -> None:
    examples = examples_of(COMMANDS[words])
    # A command may be reached by two nouns.
    verb = words.split()[-1]
    assert [example for example in examples if re.search(rf"\b{verb}\b", example)]
    assert [problem for example in examples if (problem := problem_with(example))] == []


def test_its_help_is_the_one_that_typer_prints(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        ROOT_COMMAND([*words.split(), "--help"], prog_name="engine")
    assert end.value.code == 0
    assert capsys.readouterr().out == f"{help_of([*words.split(), '--help'])}\n"


@pytest.mark.parametrize("arguments", [[], ["--help", "queue"], ["nonsense", "--help"], ["runs"]])
def test_whatever_is_no_plain_question_for_help_is_left_to_typer(arguments: list[str]) -> None:
    assert help_of(arguments) is None


def test_it_prints_json_unless_it_has_a_reason(words: str) -> None:
    options = {option for param in COMMANDS[words].params for option in param.opts}
    assert ("--json" in options) is (words not in WITHOUT_JSON)


def test_its_help_has_no_line_without_a_first_sentence(words: str) -> None:
    text = COMMANDS[words].help or ""
    assert re.match(r"[A-Z].*[.?]", text.partition("\n")[0])


@pytest.mark.parametrize("arguments", [["--help"], ["queue", "retry", "--help"]])
def test_help_costs_little(arguments: list[str]) -> None:
    # On a slow or busy machine what Typer imports by itself takes longer than the promise.
    for _ in range(5):
        alone = cpu_seconds("-c", "import typer._adapters")
        if cpu_seconds("-m", "engine", *arguments) < max(CPU_SECONDS, 1.5 * alone):
            return
    pytest.fail(f"more than {CPU_SECONDS} s of CPU")


def cpu_seconds(*arguments: str) -> float:
    """What a process of our own interpreter takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *arguments]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
