"""The tables of users, their tokens, and the audit, in the same ledger."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Table

from engine.store.break_tables import metadata as metadata
from engine.store.instant import Instant
from engine.store.tables import Id
from engine.store.words import Words

users = Table(
    "users",
    metadata,
    Column("name", Words, primary_key=True),
    Column("role", Words, nullable=False),  # viewer, operator, approver, admin
    Column("created_at", Instant, nullable=False),
    Column("created_by", Words, nullable=False),
    Column("disabled_at", Instant),
)

user_tokens = Table(
    "user_tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user", Words, ForeignKey("users.name"), nullable=False),
    Column("hash", Words, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Words, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
    Index("ix_user_tokens_user", "user"),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Words, nullable=False),
    Column("act", Words, nullable=False),
    Column("subject", Words),
    Column("count", BigInteger, nullable=False),
    Column("reason", Words),
    Column("facts", JSON, nullable=False),  # filter, before, after
    Column("key_id", Words, nullable=False),
    Column("mac", Words, nullable=False),  # of this entry and the one before it
    Index("ix_audit_entries_at", "at"),
)

sealed_keys = Table(
    "sealed_keys",
    metadata,
    Column("name", Words, primary_key=True),
    Column("sealed", Words, nullable=False),
)
