"""The truth about a demo world: what was planted, and how it compares with what was found.

It lies in a file beside the world, which is opened only after the run has ended: nothing that
looks for faults may know where they are.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.demo.faults.findings import Expected
from engine.errors import Invalid
from engine.store.breaks import Difference


class NoTruth(Invalid):
    """There is no truth beside the world, or what is there is none."""

    message = "{path} does not hold the truth about a demo world ({reason}); build the world again"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One planted fault: what was done to which wallets, and all that must be found for it.

    `order_only` counts the seconds whose rows chain, but not in the order of their ids.
    """

    kind: str
    words: str
    wallets: Sequence[str]
    expected: Sequence[Expected]
    order_only: int = 0


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Everything that was planted in one world."""

    seed: int
    as_of: str
    faults: Sequence[Fault]

    @property
    def expected(self) -> list[Expected]:
        """Every difference that must be found; there is to be no other."""
        return [expected for fault in self.faults for expected in fault.expected]

    @property
    def order_only(self) -> int:
        """How many seconds only look broken."""
        return sum(fault.order_only for fault in self.faults)

    def save(self, path: Path) -> None:
        """Write the file, for a person to read as well."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Truth":
        """Read the file again."""
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            faults = [
                Fault(**{**fault, "expected": [Expected(**one) for one in fault["expected"]]})
                for fault in held["faults"]
            ]
            return cls(seed=held["seed"], as_of=held["as_of"], faults=faults)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NoTruth(path=str(path), reason=f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Tally:
    """One code's line of a comparison."""

    check: str
    code: str
    planted: int
    found: int
    missing: int
    unexpected: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was found against what was planted; a wrong amount is one missing, one unexpected."""

    matched: Sequence[Expected]
    missing: Sequence[Expected]
    unexpected: Sequence[Expected]

    @property
    def agrees(self) -> bool:
        """Whether everything was found and nothing else."""
        return not self.missing and not self.unexpected

    @property
    def tallies(self) -> list[Tally]:
        """The numbers by check and code, as a table shows them."""
        matched, missing, unexpected = (
            Counter((one.check, one.code) for one in group)
            for group in (self.matched, self.missing, self.unexpected)
        )
        return [
            Tally(
                check=key[0],
                code=key[1],
                planted=matched[key] + missing[key],
                found=matched[key] + unexpected[key],
                missing=missing[key],
                unexpected=unexpected[key],
            )
            for key in sorted(matched.keys() | missing.keys() | unexpected.keys())
        ]


def compare(found: Iterable[Difference | Mapping[str, Any]], truth: Truth) -> Comparison:
    """Hold what a reconciliation found, differences or rows of breaks, against the truth."""
    seen, planted = Counter(_as_expected(one) for one in found), Counter(truth.expected)
    return Comparison(
        matched=_sorted(seen & planted),
        missing=_sorted(planted - seen),
        unexpected=_sorted(seen - planted),
    )


def _as_expected(found: Difference | Mapping[str, Any]) -> Expected:
    row = found if isinstance(found, Mapping) else vars(found)
    entry = row["entry"]
    return Expected(
        check=row["check"],
        code=row["code"],
        wallet=str(row["wallet"]),
        entry=None if entry is None else str(entry),
        currency=row["currency"],
        amount_minor=row["amount_minor"],
    )


def _sorted(group: Counter[Expected]) -> list[Expected]:
    return sorted(
        group.elements(),
        key=lambda one: (one.check, one.code, one.wallet, one.entry or "", one.amount_minor),
    )
