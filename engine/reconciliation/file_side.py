"""A side by file: delimited text as canonical columns, every cell read exactly or found wrong."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from engine.money import NotAnAmount, PrecisionLost, to_minor
from engine.reconciliation.definition import LARGEST, MAY_BE_EMPTY, Amount, FileRows, Side
from engine.reconciliation.result import Finding
from engine.sources.delimited import DelimitedFile, Row
from engine.sources.faults import UnreadableFile
from engine.sources.folder import Folder
from engine.sources.instants import read_instant

MOST_FINDINGS = 100  # of one side; the rest are counted
_BATCH_ROWS = 16_384
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_AMOUNTS = frozenset({"amount", "balance_after", "opening", "balance", "floor"})


class _Wrong(Exception):
    """A cell that cannot be read as what it should be."""

    def __init__(self, code: str, column: str, message: str) -> None:
        self.code, self.column, self.message = code, column, message
        super().__init__(message)


@dataclass
class FileSide:
    """A side of one file; iterating over `batches` or `totals` reads it from the start."""

    side: Side
    wanted: Sequence[str]
    folder: Folder
    zone: str
    currency: str
    found: list[Finding] = field(default_factory=list)
    wrong: int = 0
    failure: UnreadableFile | None = None

    def __post_init__(self) -> None:
        assert isinstance(self.side.rows, FileRows)  # noqa: S101 - the caller has looked
        self._how = self.side.rows
        path = self.folder.file(self._how.file)
        self.file = DelimitedFile(path, self._how.dialect, source=self.side.source)
        self._positions = {name: at for at, name in enumerate(self.file.columns)}
        for column in self.side.columns:
            if column not in self._positions:
                reason = f"it has no column {column!r}, only " + ", ".join(self.file.columns)
                raise self._unreadable(reason)
            if list(self.file.columns).count(column) > 1:
                raise self._unreadable(f"it has more than one column {column!r}")

    def _unreadable(self, reason: str) -> UnreadableFile:
        return UnreadableFile(file=self._how.file, source=self.side.source, reason=reason)

    def batches(self) -> Iterator[Any]:
        """The rows as `pyarrow.RecordBatch`es; afterwards `findings` knows what was wrong."""
        import pyarrow as pa

        self.found, self.wrong = [], 0
        readers = self._readers(self._note)
        held: dict[str, list[Any]] = {name: [] for name in self.wanted}
        for count, row in enumerate(self._kept_rows(), start=1):
            for name, read in readers.items():
                held[name].append(read(row))
            if count % _BATCH_ROWS == 0:
                yield pa.record_batch(held, schema=self.schema)
                held = {name: [] for name in self.wanted}
        yield pa.record_batch(held, schema=self.schema)

    def _kept_rows(self) -> Iterator[Row]:
        # What a stream raises reaches its reader in another library's words.
        try:
            yield from self.file
        except UnreadableFile as error:
            self.failure = error
            raise

    @property
    def schema(self) -> Any:
        """Amounts are whole numbers, instants are read already, everything else is text."""
        import pyarrow as pa

        kinds = dict.fromkeys(_AMOUNTS, pa.int64()) | {"posted_at": pa.timestamp("us")}
        return pa.schema([(name, kinds.get(name, pa.string())) for name in self.wanted])

    @property
    def amounts(self) -> Sequence[str]:
        """The amounts that are totalled."""
        return [name for name in ("amount", "opening", "balance") if name in self.wanted]

    def totals(self) -> Mapping[str, tuple[int, Mapping[str, int]]]:
        """By currency: how many rows can be used, and the sum of each of their amounts.

        The file is read anew, and nothing that was staged is looked at.
        """
        readers = self._readers(lambda row, wrong: None)
        rows: defaultdict[str, int] = defaultdict(int)
        sums: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in self.file:
            values = [readers[name](row) for name in self.amounts]
            currency = readers["currency"](row) if "currency" in readers else self.currency
            if None in values or currency is None:
                continue
            if "wallet" in readers and readers["wallet"](row) is None:
                continue
            rows[currency] += 1
            for name, value in zip(self.amounts, values, strict=True):
                sums[currency][name] += value
        return {currency: (rows[currency], sums[currency]) for currency in rows}

    def findings(self) -> Iterator[Finding]:
        """What the last reading found wrong; a cut file first."""
        if (cut := self.file.cut) is not None:
            yield Finding(
                code="SOURCE_TRUNCATED",
                side=self.side.name,
                where=f"{self._how.file}:{cut.line}",
                message="the file ends in the middle of this row, which is left out; "
                "rows after it are missing",
            )
        yield from self.found
        if self.wrong > len(self.found):
            yield Finding(
                code="SOURCE_TYPE",
                side=self.side.name,
                where=self._how.file,
                message=f"{self.wrong - len(self.found)} more cells like these",
            )

    def _note(self, row: Row, wrong: _Wrong) -> None:
        self.wrong += 1
        if len(self.found) < MOST_FINDINGS:
            self.found.append(
                Finding(
                    code=wrong.code,
                    side=self.side.name,
                    where=f"{self._how.file}:{row.line}, column {wrong.column}",
                    message=f"{wrong.message}; the row is left out of what needs it",
                )
            )

    def _readers(self, note: Callable[[Row, _Wrong], None]) -> Mapping[str, Callable[[Row], Any]]:
        """One function a canonical column; a cell that is wrong is noted and becomes None."""

        def noted(read: Callable[[Row], Any]) -> Callable[[Row], Any]:
            def reader(row: Row) -> Any:
                try:
                    return read(row)
                except _Wrong as wrong:
                    note(row, wrong)
                    return None

            return reader

        return {name: noted(self._reader(name)) for name in self.wanted}

    def _reader(self, name: str) -> Callable[[Row], Any]:
        if name in self.side.amounts:
            read = self._amount_reader(self.side.amounts[name], signed=name == "amount")
            return self._or_nothing(name, read) if name in MAY_BE_EMPTY else read
        if name == "posted_at":
            return self._instant_reader(self.side.keys[name][0])
        at = [self._positions[column] for column in self.side.keys[name]]
        column = ", ".join(self.side.keys[name])

        def key(row: Row) -> str | None:
            parts = [row.fields[position] for position in at]
            if not any(parts):
                if name in MAY_BE_EMPTY:
                    return None
                raise _Wrong("SOURCE_TYPE", column, "it is empty, and a value is due")
            if len(parts) == 1:
                return parts[0]
            return "/".join(part.replace("\\", "\\\\").replace("/", "\\/") for part in parts)

        return key

    def _or_nothing(self, name: str, read: Callable[[Row], int]) -> Callable[[Row], int | None]:
        at = [self._positions[column] for column in self.side.amounts[name].columns]
        return lambda row: read(row) if any(row.fields[position] for position in at) else None

    def _instant_reader(self, column: str) -> Callable[[Row], int]:
        at, zone, pattern = self._positions[column], self.zone, self._how.dates

        def instant(row: Row) -> int:
            text = row.fields[at]
            if (moment := read_instant(text, zone, pattern)) is None:
                raise _Wrong("SOURCE_TYPE", column, f"{text!r} is no date or instant")
            return moment

        return instant

    def _amount_reader(self, amount: Amount, *, signed: bool) -> Callable[[Row], int]:
        parts = [(1, c, self._positions[c]) for c in amount.plus]
        parts += [(-1, c, self._positions[c]) for c in amount.minus]
        sign = self.side.sign if signed else None
        money = [self._positions[c] for c in self.side.keys.get("currency", ())]
        cell = _minor if self._how.unit == "minor" else _major

        def read(row: Row) -> int:
            currency = row.fields[money[0]].strip().upper() if money else self.currency
            total = sum(way * cell(row.fields[at], currency, column) for way, column, at in parts)
            if sign is not None:
                value = row.fields[self._positions[sign.column]]
                if value in sign.minus:
                    total = -total
                elif value not in sign.plus:
                    raise _Wrong(
                        "SOURCE_TYPE", sign.column, f"{value!r} is on neither list of `sign`"
                    )
            return total

        return read


@lru_cache(maxsize=65_536)
def _major(text: str, currency: str, column: str) -> int:
    try:
        return _in_range(to_minor(text, currency), text, column)
    except PrecisionLost as error:
        raise _Wrong("SOURCE_PRECISION", column, str(error)) from None
    except NotAnAmount as error:
        raise _Wrong("SOURCE_TYPE", column, str(error)) from None


def _minor(text: str, currency: str, column: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise _Wrong("SOURCE_TYPE", column, f"{text!r} is no whole number of minor units")
    return _in_range(int(text), text, column)


def _in_range(minor: int, text: str, column: str) -> int:
    if abs(minor) > LARGEST:
        raise _Wrong("SOURCE_PRECISION", column, f"{text} is larger than any amount can be")
    return minor
