"""Turns: one transaction at a time about one thing, where reading it decides what is written."""

import hashlib

from sqlalchemy import Connection, func, select


def take_turn(connection: Connection, kind: str, name: str) -> None:
    """Wait until no other transaction has the turn; it is ours until this one ends.

    On SQLite a write transaction has every turn from its beginning on. Take a turn before any
    row is locked: whoever has it waits for rows only, so nobody waits in a circle.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_number(kind, name))))


def _number(kind: str, name: str) -> int:
    digest = hashlib.sha256(f"engine {kind} {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
