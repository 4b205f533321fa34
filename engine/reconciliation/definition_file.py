"""What a reconciliation's YAML file may say; a message for people where it may not."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from engine.reconciliation.definition import Amount, Definition, FileRows, QueryRows, Side, Sign
from engine.reconciliation.definition_checks import ChecksModel
from engine.sources.delimited import Dialect

Text = Annotated[str, Field(min_length=1)]
Columns = Text | Annotated[list[Text], Field(min_length=1)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

_AMOUNTS = frozenset({"amount", "balance_after", "opening", "balance", "floor"})


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PairModel(_Strict):
    """An amount made of several columns."""

    plus: list[Text] = Field(min_length=1)
    minus: list[Text] = []

    def parsed(self) -> Amount:
        """As the engine sees it."""
        return Amount(plus=self.plus, minus=self.minus)


AmountColumns = Text | PairModel


class WalletColumns(_Strict):
    """What the columns of the wallets mean."""

    wallet: Columns
    owner: Columns | None = None
    balance: AmountColumns | None = None
    opening: AmountColumns | None = None
    floor: AmountColumns | None = None
    currency: Text | None = None
    status: Text | None = None


class OwnerColumns(_Strict):
    """What the columns of the owners mean."""

    owner: Columns


class EntryColumns(_Strict):
    """What the columns of the entries mean."""

    wallet: Columns
    amount: AmountColumns
    entry: Columns | None = None
    posted_at: Text | None = None
    balance_after: AmountColumns | None = None
    currency: Text | None = None
    order: Text | None = None
    reference: Text | None = None
    code: Text | None = None
    status: Text | None = None


class SignModel(_Strict):
    """Which values of a column add and which take off."""

    column: Text
    plus: list[Text] = []
    minus: list[Text] = []

    @model_validator(mode="after")
    def _values_are_on_one_list(self) -> "SignModel":
        if both := sorted({*self.plus} & {*self.minus}):
            raise ValueError(f"{both[0]!r} is on both lists; an amount goes one way")
        return self

    def parsed(self) -> Sign:
        """As the engine sees it."""
        return Sign(column=self.column, plus=tuple(self.plus), minus=tuple(self.minus))


class _SideModel(_Strict):
    source: Text | None = None
    query: Text | None = None
    file: Text | None = None
    format: Literal["csv"] = "csv"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: Text = "utf-8-sig"
    header: bool = True
    names: list[Text] = []
    unit: Literal["minor", "major"] | None = None
    dates: Text | None = None

    @model_validator(mode="after")
    def _rows_come_from_one_place(self) -> "_SideModel":
        if (self.query is None) == (self.file is None):
            raise ValueError("say where the rows are: `query` for a database, `file` for a folder")
        if self.query is not None and self.unit == "major":
            raise ValueError("`unit: major` is for files; a query gives whole minor units")
        if self.file is not None and not (self.header or self.names):
            raise ValueError("a file without a header needs its columns as `names`")
        return self

    def side(
        self, name: str, default: str | None, columns: _Strict, sign: SignModel | None
    ) -> Side:
        """As the engine sees it."""
        held: Mapping[str, Any] = {k: v for k, v in columns if v is not None}
        return Side(
            name=name,
            source=self.source or default or "",
            rows=self._rows(),
            keys={k: _names(v) for k, v in held.items() if k not in _AMOUNTS},
            amounts={k: _amount(v) for k, v in held.items() if k in _AMOUNTS},
            sign=sign.parsed() if sign else None,
        )

    def _rows(self) -> QueryRows | FileRows:
        if self.query is not None:
            return QueryRows(query=self.query.strip().removesuffix(";"))
        dialect = Dialect(
            delimiter=self.delimiter,
            encoding=self.encoding,
            header=self.header,
            names=tuple(self.names),
        )
        unit = self.unit or "major"
        return FileRows(file=self.file or "", dialect=dialect, unit=unit, dates=self.dates)


class WalletsModel(_SideModel):
    """Where the wallets are."""

    columns: WalletColumns


class EntriesModel(_SideModel):
    """Where the entries are."""

    columns: EntryColumns


class OwnersModel(_SideModel):
    """Where those are that wallets may belong to."""

    columns: OwnerColumns


class SidesModel(_Strict):
    """What is compared."""

    entries: EntriesModel
    wallets: WalletsModel | None = None
    owners: OwnersModel | None = None


class DefinitionModel(_Strict):
    """The whole file."""

    title: Text | dict[str, Text]
    timezone: str = "UTC"
    currency: Currency
    source: Text | None = None
    sides: SidesModel
    sign: SignModel | None = None
    stored: Literal["balance", "last_balance_after"] = "balance"
    staging: Literal["memory", "disk"] = "memory"
    checks: ChecksModel

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no timezone is named {name!r}; write one like Asia/Riyadh") from None
        return name

    @field_validator("title")
    @classmethod
    def _title_says_something(cls, title: str | dict[str, str]) -> str | dict[str, str]:
        if not title:
            raise ValueError("a title must not be empty")
        return title

    @field_validator("checks")
    @classmethod
    def _something_is_asked(cls, checks: ChecksModel) -> ChecksModel:
        if not checks.parsed():
            names = ", ".join(ChecksModel.model_fields)
            raise ValueError(f"ask for at least one check: {names}")
        return checks

    @model_validator(mode="after")
    def _checks_have_what_they_need(self) -> "DefinitionModel":
        columns, wallets = self.sides.entries.columns, self.sides.wallets
        for name, side in self.sides:
            if side is not None and (side.source or self.source) is None:
                raise ValueError(f"sides.{name} has no `source`, and there is none for all sides")
        lacks_balance = wallets is None or wallets.columns.balance is None
        if self.stored == "balance" and self.checks.balance is not None and lacks_balance:
            raise ValueError("`stored: balance` needs sides.wallets.columns.balance")
        if self.stored == "last_balance_after" or self.checks.chain is not None:
            for column in ("entry", "posted_at", "balance_after"):
                if getattr(columns, column) is None:
                    raise ValueError(f"following balances needs sides.entries.columns.{column}")
        return self

    def parsed(self, name: str) -> Definition:
        """As the engine sees it."""
        title = self.title
        if isinstance(title, dict):
            title = title.get("en") or next(iter(title.values()))
        sides = self.sides
        return Definition(
            name=name,
            title=title,
            timezone=self.timezone,
            currency=self.currency,
            entries=sides.entries.side("entries", self.source, sides.entries.columns, self.sign),
            wallets=sides.wallets.side("wallets", self.source, sides.wallets.columns, None)
            if sides.wallets
            else None,
            owners=sides.owners.side("owners", self.source, sides.owners.columns, None)
            if sides.owners
            else None,
            stored=self.stored,
            staging=self.staging,
            checks=self.checks.parsed(),
        )


def _names(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _amount(value: str | PairModel) -> Amount:
    return Amount(plus=(value,)) if isinstance(value, str) else value.parsed()
