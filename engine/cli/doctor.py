"""`engine doctor`: why are jobs not processed, and why are they slow?"""

import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.output import Json, is_coloured, print_json, terminal_width, text_of
from engine.errors import Invalid

if TYPE_CHECKING:
    from engine.operations.doctor.cause import Diagnosis

_HEADINGS = {
    "not_processing": "Jobs are not processing",
    "slow": "Jobs are slow",
}
_MARKS = {"fine": "  ok     ", "found": "  FOUND  ", "unchecked": "  ?      "}
_COLOURS = {"fine": "green", "found": "red", "unchecked": "yellow"}
_MARGIN = " " * 9
_BREACHED = 4


class UnknownCause(Invalid):
    """The doctor knows no cause of this name."""

    message = "--only: no cause is named {name!r}; {hint}"


def doctor(
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="CAUSE", help="Look for this cause only; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Why are jobs not processed, and why are they slow? Each cause is looked for.

    What is found is told with the next command to type. Exit 4 if anything was found; a ledger or a
    queue that is away is a finding, and what it hides is said to be unchecked.

    \b
    Examples:
      engine doctor
      engine doctor --json
      engine doctor --only no_worker --only queue_away
    """
    from engine.clock import SystemClock
    from engine.documents.closest import suggestion
    from engine.operations.doctor.examination import CAUSES, examine
    from engine.operations.doctor.patient import Patient
    from engine.settings import load_settings

    causes = {cause.name: cause for cause in CAUSES}
    for name in only or ():
        if name not in causes:
            raise UnknownCause(name=name, hint=suggestion(name, causes))
    patient = Patient(load_settings, SystemClock())
    done: list[Diagnosis] = []
    try:
        for diagnosis in examine(patient, [causes[name] for name in only or causes]):
            if not as_json:
                _print(diagnosis, is_first=not any(_alike(diagnosis, each) for each in done))
            done.append(diagnosis)
    finally:
        patient.close()
    verdicts = [each.verdict.value for each in done]
    counts = {name: verdicts.count(name) for name in ("found", "unchecked", "fine")}
    if as_json:
        print_json({"causes": [each.as_json() for each in done], "counts": counts})
    else:
        print()
        print("{found} found, {unchecked} not checked, {fine} fine".format(**counts))
    if counts["found"]:
        raise typer.Exit(_BREACHED)


def _alike(one: "Diagnosis", other: "Diagnosis") -> bool:
    return one.cause.question is other.cause.question


def _print(diagnosis: "Diagnosis", *, is_first: bool) -> None:
    verdict = diagnosis.verdict.value
    if is_first:
        if diagnosis.cause.question.value == "slow":
            print()
        print(_coloured(_HEADINGS[diagnosis.cause.question.value], None))
    for number, (text, steps) in enumerate(_said(diagnosis)):
        mark = _MARKS[verdict] if number == 0 else _MARGIN
        first, *rest = _lines(text)
        print(_coloured(mark, _COLOURS[verdict]) + first)
        for line in rest:
            print(_MARGIN + line)
        for step in steps:
            print(f"{_MARGIN}> {step}")
    sys.stdout.flush()


def _said(diagnosis: "Diagnosis") -> Iterator[tuple[str, list[str]]]:
    for finding in diagnosis.findings:
        yield text_of(finding.text), list(finding.next)
    if diagnosis.why is not None:
        yield f"{diagnosis.cause.fine}: not checked, {text_of(diagnosis.why)}", []
    elif not diagnosis.findings:
        yield diagnosis.cause.fine, []


def _lines(text: str) -> list[str]:
    width = terminal_width()
    return [text] if width is None else textwrap.wrap(text, max(width - len(_MARGIN), 20))


def _coloured(text: str, colour: str | None) -> str:
    if not is_coloured():
        return text
    return typer.style(text, fg=colour, bold=colour is None)
