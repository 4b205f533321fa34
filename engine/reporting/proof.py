"""Proofs: a file holds what was read, and what was read is what the source says there is.

Four counts that know nothing of each other have to agree: what the source answered when it was
asked for counts and sums, what the rows that it gave add up to, how many rows a writer says it
wrote, and what is found when the file's bytes are read again. Where a format has its amounts as
people read them only (HTML, PDF) its rows alone are compared; of a PDF, as its writer counted them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.artifact_files.spool import SpooledFile
from engine.errors import EngineError
from engine.exporters.document import Kind
from engine.exporters.recount.figures import Figures
from engine.exporters.recount.layout import Layout
from engine.exporters.recount.recount import Unreadable
from engine.exporters.recount.recounts import RECOUNTS
from engine.money import format_minor

_MOST_SAID = 10  # of all problems: the others are in the manifests


class ProofFailed(EngineError):
    """Files do not hold what was read; they are in quarantine."""

    message = (
        "{files} of the run's files are in quarantine, for they do not hold what they should: "
        "{problems}. Nobody is given them by mistake: see `engine artifacts list --quarantined`. "
        "Run the report again, and report it if it stays"
    )


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A table, as its rows were read and as its source answered at the same moment."""

    layout: Layout
    read: Figures
    asked: Figures | None = None


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was found in a file, table by table, and in what the counts disagree.

    `counted` is None if the format cannot be read again.
    """

    written: int
    counted: Sequence[Figures] | None
    problems: Sequence[str]


def prove(file: SpooledFile, format_name: str, datasets: Sequence[Dataset]) -> Proof:
    """Compare all that is known of a file of these datasets."""
    problems = list(_of_source(datasets))
    main = datasets[0]
    if file.rows != main.read.rows:
        problems.append(_of_rows(main, "written", file.rows, "read", main.read.rows))
    counted: Sequence[Figures] | None = None
    if format_name in RECOUNTS:
        try:
            counted = RECOUNTS[format_name].count(file.location, [each.layout for each in datasets])
        except Unreadable as error:
            problems.append(str(error))
        else:
            for dataset, found in zip(datasets, counted, strict=False):
                problems += differences(dataset.layout, "in the file", found, "read", dataset.read)
    return Proof(written=file.rows, counted=counted, problems=problems)


def differences(
    layout: Layout, here: str, found: Figures, there: str, expected: Figures
) -> Iterator[str]:
    """What the figures of a table differ in, each as a sentence."""
    if found.rows != expected.rows:
        dataset = Dataset(layout=layout, read=expected)
        yield _of_rows(dataset, here, found.rows, there, expected.rows)
    if found.sums is None or expected.sums is None:
        return
    ours, theirs = _by_text(found), _by_text(expected)
    kinds = {column.name: column.kind for _, column in layout.added()}
    for name, currency in sorted({*ours, *theirs}, key=str):
        has, should = ours.get((name, currency), 0), theirs.get((name, currency), 0)
        if has != should:
            money = kinds.get(name) is Kind.MONEY
            one, other, off = (
                format_minor(each, currency or "") if money else f"{each:,}"
                for each in (has, should, has - should)
            )
            said = f"{name} {currency}" if currency else name
            yield f"total {said} of {layout.name} is {one} {here}, {other} {there}: off by {off}"


def _of_source(datasets: Sequence[Dataset]) -> Iterator[str]:
    for each in datasets:
        if each.asked is not None:
            yield from differences(each.layout, "as read", each.read, "in the source", each.asked)


def _of_rows(dataset: Dataset, here: str, found: int, there: str, expected: int) -> str:
    return (
        f"rows of {dataset.layout.name} are {found:,} {here}, {expected:,} {there}: "
        f"off by {found - expected:,}"
    )


def _by_text(figures: Figures) -> dict[tuple[str, str | None], int]:
    """The sums; an amount whose row names no currency is of none."""
    return {(name, code or None): total for (name, code), total in (figures.sums or {}).items()}


def said_of(problems: Sequence[str]) -> str:
    """Problems in one sentence, not all of them if there are many."""
    more = len(problems) - _MOST_SAID
    return "; ".join([*problems[:_MOST_SAID], *([f"and {more} more"] if more > 0 else [])])
