"""Narration: what a reconciliation says of itself in the log of its run."""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from engine.reconciliation.result import Finding, Result

if TYPE_CHECKING:
    from engine.store.reconciled import Recorded

logger = logging.getLogger("engine.reconciliation")

_MOST_LINES = 20
_MOST_LISTED = 5
_LONGEST = 300  # characters of a finding in a run's result


def say_start(name: str, cut_off: datetime) -> None:
    """What is about to be read, and up to when."""
    logger.info("reconciling %s up to %s", name, cut_off.isoformat())


def say_found(result: Result) -> None:
    """How much was read, then the findings: the first of them each in a line, the rest as a count.

    They come before anything is recorded, so that they are known even if that fails.
    """
    for side in result.sides:
        logger.info("read %s from %s: %s rows", side.name, side.source, f"{side.rows:,}")
    for finding in result.findings[:_MOST_LINES]:
        logger.warning("%s", _told(finding))
    if (more := len(result.findings) - _MOST_LINES) > 0:
        logger.warning("%s more findings about the sources; see the report", f"{more:,}")


def say_end(result: Result, recorded: "Recorded") -> None:
    """What became of the breaks, and how many there are of each code."""
    counts = ", ".join(f"{code} {count:,}" for code, count in result.counts.items())
    logger.info(
        "%s breaks (%s opened, %s reopened, %s closed), %s findings; %s",
        *(f"{each:,}" for each in (recorded.seen, recorded.opened, recorded.reopened)),
        *(f"{each:,}" for each in (recorded.closed, len(result.findings))),
        counts or "nothing differs",
    )


def first_findings(result: Result) -> list[str]:
    """The first few, for the run's result."""
    return [_told(each)[:_LONGEST] for each in result.findings[:_MOST_LISTED]]


def _told(finding: Finding) -> str:
    where = ", ".join(part for part in (finding.side, finding.where) if part)
    return f"{finding.code} {where}: {finding.message}"
