"""What databases repeat of rows is without the values of secrets' columns."""

import pytest

from engine.redaction.hiding import hidden

_INSERT = "INSERT INTO users (id, token) VALUES"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"{_INSERT} (1, 'abc');", f"{_INSERT} (***);"),
        (f"LINE 1: {_INSERT} (1, 'abc')", f"LINE 1: {_INSERT} (***)"),
        (
            f"[SQL: {_INSERT} (?, ?)]\n[parameters: (1, 'abc')]\n(Background on this",
            f"[SQL: {_INSERT} (***)]\n[parameters: ***]\n(Background on this",
        ),
        ("[parameters: ('abc', 1)]", "[parameters: ***]"),
        ("DETAIL:  Failing row contains (1, abc, (x)).", "DETAIL:  Failing row contains (***)."),
    ],
)
def test_values_that_may_be_secrets_are_hidden(said: str, shown: str) -> None:
    assert hidden(said) == shown


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO wallets (id, balance) VALUES (1, 5);",
        "[SQL: UPDATE wallets SET balance=? WHERE id=?]\n[parameters: (5, 'W-7')]",
    ],
)
def test_values_of_other_columns_are_left_as_they_are(text: str) -> None:
    assert hidden(text) == text
