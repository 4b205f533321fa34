"""Currencies: one code each, however the sources spell it.

A code is told without case and without spaces around it, so `sar` and ` SAR ` are SAR on every
side: a platform that writes small letters, or a column of fixed width, changes nothing about the
money. Nothing else is guessed; `SR` is not SAR.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.reconciliation.definition import Definition
from engine.reconciliation.staged_side import Totals
from engine.reconciliation.staging import Staging


@dataclass(frozen=True)
class Spellings:
    """Every spelling that a source uses, with the code that it means."""

    meant: Mapping[str, str]

    @property
    def codes(self) -> Sequence[str]:
        """What sources are asked for."""
        return sorted(self.meant)

    def merged(self, totals: Totals) -> Totals:
        """Totals by the codes that are meant."""
        rows: defaultdict[str, int] = defaultdict(int)
        sums: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        for spelling, (count, amounts) in totals.items():
            code = self.meant.get(spelling, spelling)
            rows[code] += count
            for name, amount in amounts.items():
                sums[code][name] += amount
        return {code: (rows[code], sums[code]) for code in rows}


def tidied(text: str) -> str:
    """The code that a text means."""
    return text.strip().upper()


def tidy_currencies(definition: Definition, staging: Staging) -> Spellings:
    """Make the staged sides say each code in one way."""
    meant = {definition.currency: definition.currency}
    for side in definition.sides:
        if "currency" not in side.keys:
            continue
        rows = staging.rows(f"SELECT DISTINCT currency FROM {side.name}")  # noqa: S608
        own = {text: tidied(text) for (text,) in rows if text is not None}
        for text, code in own.items():
            if text != code:
                values = [code, text]
                staging.run(f"UPDATE {side.name} SET currency = ? WHERE currency = ?", values)  # noqa: S608
        meant |= own
    return Spellings(meant)
