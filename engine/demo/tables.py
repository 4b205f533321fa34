"""The tables of the canteen's own database, which the engine only reads."""

import sqlite3

TABLES = """
CREATE TABLE schools (
    id INTEGER PRIMARY KEY,
    name_ar TEXT NOT NULL,
    name_en TEXT NOT NULL,
    stage TEXT NOT NULL,
    pupils TEXT NOT NULL,
    city_ar TEXT NOT NULL,
    city_en TEXT NOT NULL
);
CREATE TABLE guardians (
    id INTEGER PRIMARY KEY,
    name_ar TEXT NOT NULL,
    name_en TEXT NOT NULL,
    email TEXT NOT NULL
);
CREATE TABLE students (
    id INTEGER PRIMARY KEY,
    school_id INTEGER NOT NULL REFERENCES schools,
    guardian_id INTEGER NOT NULL REFERENCES guardians,
    name_ar TEXT NOT NULL,
    name_en TEXT NOT NULL
);
CREATE TABLE wallets (
    id INTEGER PRIMARY KEY,
    student_id INTEGER REFERENCES students,
    currency TEXT NOT NULL,
    opening_minor INTEGER NOT NULL,
    balance_minor INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    wallet_id INTEGER NOT NULL REFERENCES wallets,
    type TEXT NOT NULL,
    reference TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    balance_after_minor INTEGER NOT NULL,
    posted_at TEXT NOT NULL,
    status TEXT NOT NULL
);
CREATE TABLE gateways (
    code TEXT PRIMARY KEY,
    name_ar TEXT NOT NULL,
    name_en TEXT NOT NULL,
    fee_basis_points INTEGER NOT NULL,
    days INTEGER NOT NULL
);
CREATE TABLE settlements (
    id INTEGER PRIMARY KEY,
    gateway TEXT NOT NULL REFERENCES gateways,
    day TEXT NOT NULL,
    settled_on TEXT NOT NULL,
    reference TEXT NOT NULL,
    payments INTEGER NOT NULL,
    gross_minor INTEGER NOT NULL,
    fee_minor INTEGER NOT NULL,
    vat_minor INTEGER NOT NULL,
    net_minor INTEGER NOT NULL,
    currency TEXT NOT NULL
);
"""

# Made after the rows: one sort each costs a third of keeping them up row by row.
INDEXES = """
CREATE INDEX students_by_school ON students (school_id);
CREATE INDEX students_by_guardian ON students (guardian_id);
CREATE UNIQUE INDEX wallets_by_student ON wallets (student_id);
CREATE INDEX entries_by_wallet ON entries (wallet_id, posted_at);
CREATE INDEX entries_by_posted_at ON entries (posted_at);
"""


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the empty tables, on a connection that cares for speed: the file is new and ours."""
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(TABLES)


def create_indexes(connection: sqlite3.Connection) -> None:
    """Make what a ledger that is read by wallet and by day would have."""
    connection.executescript(INDEXES)
