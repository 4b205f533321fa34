"""A difference: what one running of a check saw, and the identity of the break that it is."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What one running of a check saw; amounts are integers of the currency's minor unit.

    `kind` is the class of the code (source, duplicate, orphan, currency, sign, status, amount,
    date, missing); with reconciliation, check, wallet, entry and currency it is the identity of
    the break, so the amount and the run never are.
    """

    check: str
    code: str
    kind: str
    wallet: str
    entry: str | None
    currency: str
    amount_minor: int
    expected_minor: int | None = None
    actual_minor: int | None = None
    severity: str = "medium"
    details: Mapping[str, Any] = field(default_factory=dict)

    def identity(self, reconciliation: str) -> str:
        """The break's name for life: a SHA-256 in hex. JSON keeps the parts apart."""
        parts = [reconciliation, self.check, self.wallet, self.entry, self.currency, self.kind]
        text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()
