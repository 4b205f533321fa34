"""What ends a transaction is told by its words, and not by words that mean something else."""

import pytest

from engine.effects.own_transaction import ending


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("COMMIT", "COMMIT"),
        ("  commit work;", "COMMIT"),
        ("END TRANSACTION", "END"),
        ("-- first\n/* then */ Rollback", "ROLLBACK"),
        ("ROLLBACK WORK", "ROLLBACK"),
        ("ABORT", "ABORT"),
        ("BEGIN IMMEDIATE", "BEGIN"),
        ("START\n TRANSACTION", "START TRANSACTION"),
        ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"),
        ("INSERT INTO a VALUES (';'); COMMIT", "COMMIT"),
        ("ROLLBACK AND CHAIN", "ROLLBACK"),
    ],
)
def test_what_ends_it(statement: str, word: str) -> None:
    assert ending(statement) == word


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'x; COMMIT'",
        'SELECT "; END" FROM t',
        "SELECT 1 -- ; ROLLBACK",
        "SELECT 1 /* ; COMMIT */",
        "DO $$ BEGIN PERFORM 1; END $$",
        "DO $a$ BEGIN PERFORM 1; END $a$",
        "ROLLBACK TO SAVEPOINT mine",
        "ROLLBACK WORK TO mine",
        "ROLLBACK TRANSACTION TO SAVEPOINT mine",
        "SAVEPOINT commit_it",
        "RELEASE SAVEPOINT mine",
        "SELECT committed FROM ends",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = 1; END",
        "commitments",
        "PREPARE plan AS SELECT 1",
        "",
    ],
)
def test_what_does_not(statement: str) -> None:
    assert ending(statement) is None
