"""What a check is given, and what it gives back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.reconciliation.chains import Chains
from engine.reconciliation.definition import Definition
from engine.reconciliation.staging import Staging
from engine.store.difference import Difference


@dataclass(frozen=True, kw_only=True)
class Material:
    """A reconciliation, staged (`wallets`, `entries`, `holdings`, `stored`), and its chains."""

    definition: Definition
    staging: Staging
    chains: Chains


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The differences beyond the tolerance, and counts of what is only information."""

    differences: Sequence[Difference]
    information: dict[str, int] = field(default_factory=dict)


class Check(Protocol):
    """One question; it reads the tables and changes none."""

    def __call__(self, material: Material, settings: Any) -> Answer:
        """Every difference; `settings` are what the definition says of this check."""
