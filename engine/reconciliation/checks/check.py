"""What a check is given, and what it gives back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.reconciliation.chains import Chains
from engine.reconciliation.definition import Definition
from engine.reconciliation.staging import Staging
from engine.store.difference import Difference


@dataclass(frozen=True, kw_only=True)
class Material:
    """A reconciliation, staged, and its chains.

    There are the tables `wallets`, `entries`, `holdings` and `stored`; `copies` and `lookalikes` if
    duplicates are asked for; `strays` if orphans or currencies are; `owners` if they are mapped.
    `cut_off` is in microseconds since 1970.
    """

    definition: Definition
    staging: Staging
    chains: Chains
    cut_off: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The differences beyond the tolerance, and counts of what is only information."""

    differences: Sequence[Difference]
    information: dict[str, int] = field(default_factory=dict)


class Namesakes:
    """Tells entries apart that bear one id, or all but one of their breaks would be lost."""

    def __init__(self) -> None:
        self._times: Counter[tuple[Any, ...]] = Counter()

    def name(self, wallet: Any, currency: str, entry: Any) -> str:
        """The id, with a number behind it from the second time on."""
        key = wallet, currency, entry
        self._times[key] += 1
        return str(entry) + (f" ({self._times[key]})" if self._times[key] > 1 else "")


class Check(Protocol):
    """One question; it reads the tables and changes none."""

    def __call__(self, material: Material, settings: Any) -> Answer:
        """Every difference; `settings` are what the definition says of this check."""
