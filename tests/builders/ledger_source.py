"""A ledger in a source: its tables, the rows in them, and the definition that reads them.

Every kind of column that a ledger may use is there, ids as numbers or texts, amounts in integers
or decimals, instants as such, as texts or as numbers since 1970. What a ledger does not use stays
empty, so that the tables are made once for all of them.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.builders.ledger import DECIMALS, MINUS, PLUS, Entry, Id, Ledger, Money, Shape

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "owners": {"id_whole": "whole", "id_number": "number", "id_text": "text"},
    "wallets": {
        **{f"{name}_{kind}": kind for name in ("id", "owner") for kind in ("whole", "number")},
        **{f"{name}_text": "text" for name in ("id", "owner")},
        "currency": "text",
        **{
            f"{name}_{kind}": kind
            for name in ("opening", "balance", "floor")
            for kind in ("whole", "number")
        },
    },
    "entries": {
        **{f"{name}_{kind}": kind for name in ("id", "wallet") for kind in ("whole", "number")},
        **{f"{name}_text": "text" for name in ("id", "wallet")},
        "currency": "text",
        "type": "text",
        "reference": "text",
        "seq": "whole",
        **{
            f"{name}_{kind}": kind
            for name in ("amount", "debit", "balance_after")
            for kind in ("whole", "number")
        },
        "posted_instant": "instant",
        "posted_text": "text",
        "posted_whole": "whole",
    },
}
"""The tables of a source, which are made once for all ledgers, with the kind of each column."""


def tables(ledger: Ledger, *, decimals: bool) -> Mapping[str, list[list[Any]]]:
    """The rows of each table, with a value for each of its columns.

    A source without `decimals` holds amounts of the major unit as whole minor ones.
    """
    shape = ledger.shape

    def money(name: str, amount: Money | None, code: str | None) -> dict[str, Any]:
        if shape.amounts != "major" or not decimals or amount is None:
            kind = "whole" if shape.amounts == "whole" else "number"
            return {f"{name}_{kind}": amount}
        return {f"{name}_number": Decimal(amount).scaleb(-_decimals(code))}

    owners = [_id("id", shape.owner_ids, owner) for owner in ledger.owners]
    wallets = [
        _id("id", shape.wallet_ids, wallet.id)
        | _id("owner", shape.wallet_owners, wallet.owner)
        | {"currency": wallet.currency}
        | money("opening", wallet.opening, wallet.currency)
        | money("balance", wallet.balance, wallet.currency)
        | money("floor", wallet.floor, wallet.currency)
        for wallet in ledger.wallets
    ]
    entries = [
        _id("id", shape.entry_ids, entry.id)
        | _id("wallet", shape.entry_wallets, entry.wallet)
        | {"currency": entry.currency, "type": entry.type}
        | {"reference": entry.reference, "seq": entry.seq}
        | money("amount", entry.amount, entry.currency)
        | money("debit", entry.debit, entry.currency)
        | money("balance_after", entry.balance_after, entry.currency)
        | {f"posted_{shape.instants}": _instant(shape, entry)}
        for entry in ledger.entries
    ]
    found = {"owners": owners, "wallets": wallets, "entries": entries}
    return {
        name: [[row.get(column) for column in COLUMNS[name]] for row in rows]
        for name, rows in found.items()
    }


def _decimals(code: str | None) -> int:
    return DECIMALS.get((code or "").strip().upper(), 2)


def _id(name: str, kind: str, id_: Id | None) -> dict[str, Any]:
    return {f"{name}_{kind}": str(id_) if kind == "text" and id_ is not None else id_}


def _instant(shape: Shape, entry: Entry) -> Any:
    at = entry.posted_at
    if shape.instants == "text" and entry.garbled is not None and at is None:
        return entry.garbled
    if at is None or shape.instants == "instant":
        return at
    if shape.instants == "whole":
        return int(at.timestamp()) * 1000**entry.style
    if entry.style == 2:
        return at.astimezone(ZoneInfo(shape.zone)).strftime("%Y-%m-%d %H:%M:%S")
    if entry.style == 1:
        return at.astimezone(ZoneInfo("Asia/Riyadh")).isoformat()
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def definition(shape: Shape, *, decimals: bool) -> str:
    """The definition's file, which YAML can read because it is JSON."""
    sides: dict[str, Any] = {
        "wallets": _wallets_side(shape, decimals=decimals),
        "entries": _entries_side(shape, decimals=decimals),
    }
    if shape.maps("owners"):
        sides["owners"] = {
            "query": _select([f"id_{shape.owner_ids} AS id"], "owners"),
            "columns": {"owner": "id"},
        }
    text = {
        "title": "Any ledger",
        "timezone": shape.zone,
        "currency": "SAR",
        "source": "canteen",
        "sides": sides,
        "stored": shape.stored,
        "checks": shape.checks,
    }
    if shape.ways == "type":
        text["sign"] = {"column": "type", "plus": [*PLUS], "minus": [*MINUS]}
    return json.dumps(text)


def _select(columns: Sequence[str], table: str) -> str:
    return f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608


def _money(shape: Shape, name: str, *, decimals: bool) -> str:
    if shape.amounts == "whole":
        return f"{name}_whole AS {name}"
    if shape.amounts == "number" or not decimals:
        return f"{name}_number AS {name}"
    factors = " ".join(f"WHEN '{code}' THEN {10**digits}" for code, digits in DECIMALS.items())
    return f"{name}_number * CASE upper(trim(currency)) {factors} ELSE 100 END AS {name}"


def _wallets_side(shape: Shape, *, decimals: bool) -> Mapping[str, Any]:
    amounts = [_money(shape, name, decimals=decimals) for name in ("opening", "balance", "floor")]
    ids = [f"id_{shape.wallet_ids} AS id", f"owner_{shape.wallet_owners} AS owner"]
    columns = {"wallet": "id", "balance": "balance"}
    columns |= {"owner": "owner"} if shape.maps("owners") else {}
    columns |= {name: name for name in ("opening", "floor") if shape.maps(name)}
    columns |= {"currency": "currency"} if shape.maps("wallet currency") else {}
    return {
        "query": _select([*ids, *amounts, "currency"], "wallets"),
        "columns": columns,
    }


def _entries_side(shape: Shape, *, decimals: bool) -> Mapping[str, Any]:
    names = ("amount", "debit", "balance_after")
    amounts = [_money(shape, name, decimals=decimals) for name in names]
    ids = [f"id_{shape.entry_ids} AS id", f"wallet_{shape.entry_wallets} AS wallet"]
    others = [f"posted_{shape.instants} AS posted_at", "type", "reference", "seq", "currency"]
    columns: dict[str, Any] = {
        "entry": "id",
        "wallet": "wallet",
        "amount": "amount",
        "balance_after": "balance_after",
        "posted_at": "posted_at",
    }
    if shape.ways == "pair":
        columns["amount"] = {"plus": ["amount"], "minus": ["debit"]}
    optional = {
        "reference": "reference",
        "code": "type",
        "order": "seq",
    }
    columns |= {name: column for name, column in optional.items() if shape.maps(name)}
    columns |= {"currency": "currency"} if shape.maps("entry currency") else {}
    return {
        "query": _select([*ids, *amounts, *others], "entries"),
        "columns": columns,
    }
