"""What a definition's file may say about its checks, and which columns each of them needs."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from engine.reconciliation.definition import (
    Definition,
    Floor,
    Plain,
    Settings,
    Side,
    Tolerance,
    Window,
)
from engine.schedules.durations import duration

Path = tuple[str, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ToleranceModel(_Strict):
    """How far apart two amounts may be, in minor units."""

    tolerance: int = Field(default=0, ge=0)

    def parsed(self) -> Tolerance:
        """As the engine sees it."""
        return Tolerance(tolerance=self.tolerance)


class WindowModel(_Strict):
    """How soon after each other look-alikes are suspected."""

    within: str = "60s"

    @field_validator("within", mode="before")
    @classmethod
    def _is_a_length(cls, value: Any) -> Any:
        # A number is told that its unit is missing, which helps more than that it is no text.
        text = str(value) if isinstance(value, int) else value
        if isinstance(text, str):
            duration(text)
        return text

    def parsed(self) -> Window:
        """As the engine sees it."""
        length: timedelta = duration(self.within)
        return Window(within=length)


class FloorModel(_Strict):
    """What a balance must not lie below, in minor units."""

    floor: int = 0
    running: bool = False

    def parsed(self) -> Floor:
        """As the engine sees it."""
        return Floor(floor=self.floor, running=self.running)


class PlainModel(_Strict):
    """Nothing can be set."""

    def parsed(self) -> Plain:
        """As the engine sees it."""
        return Plain()


class ChecksModel(_Strict):
    """What is asked."""

    balance: ToleranceModel | None = None
    chain: ToleranceModel | None = None
    duplicate: WindowModel | None = None
    orphan: PlainModel | None = None
    currency: PlainModel | None = None
    negative: FloorModel | None = None

    def parsed(self) -> Mapping[str, Settings]:
        """The checks that are asked, by name."""
        return {name: asked.parsed() for name, asked in self if asked is not None}


def lacking(definition: Definition) -> Iterator[tuple[Path, str]]:
    """What checks need and the definition does not map: where they ask for it, and what to do."""
    for check in definition.checks:
        for need in _NEEDS.get(check, lambda _: iter(()))(definition):
            yield ("checks", check), f"`{check}` needs {need}"
    if definition.owners is not None and "orphan" not in definition.checks:
        yield ("sides", "owners"), "nothing asks for owners; ask for the check `orphan`"


def _duplicate(definition: Definition) -> Iterator[str]:
    yield from _columns(definition.entries, "entry", "posted_at")


def _orphan(definition: Definition) -> Iterator[str]:
    yield from _columns(definition.entries, "entry")
    if definition.wallets is None:
        yield "sides.wallets: map the wallets that there are, with their `wallet`"
    elif definition.owners is not None:
        yield from _columns(definition.wallets, "owner")
    elif "owner" in definition.wallets.keys:
        yield "sides.owners, because the wallets map `owner`: map the owners that there are"


def _currency(definition: Definition) -> Iterator[str]:
    yield from _columns(definition.entries, "entry")
    if definition.wallets is None:
        yield "sides.wallets: map the wallets, with their `wallet` and `currency`"
    elif not any("currency" in side.keys for side in (definition.entries, definition.wallets)):
        yield "sides.entries.columns.currency: map the column that says it"


def _negative(definition: Definition) -> Iterator[str]:
    stored = definition.wallets is not None and "balance" in definition.wallets.amounts
    if definition.stored == "balance" and not stored:
        yield "sides.wallets.columns.balance: map it, or say `stored: last_balance_after`"
    if definition.floor is not None and definition.floor.running:
        yield from _columns(definition.entries, "entry", "posted_at", "balance_after")


def _columns(side: Side, *names: str) -> Iterator[str]:
    for name in names:
        if name not in side.keys and name not in side.amounts:
            yield f"sides.{side.name}.columns.{name}: map the column that says it"


_NEEDS = {
    "duplicate": _duplicate,
    "orphan": _orphan,
    "currency": _currency,
    "negative": _negative,
}
