"""Secrets and personal data are told by how they look, numbers by their checksums."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.redaction.hiding import hidden, hidden_data, hidden_key
from engine.redaction.numbers import is_luhn

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
PEM = "-----BEGIN PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"sent {JWT}.", "sent ***"),
        ("Bearer abcdef123", "Bearer ***"),
        ("bearer%20abcdef123", "bearer%20***"),
        ("Basic bWU6aHVudGVyMg==", "Basic ***"),
        ("with sk_live_abcdEFGH1234", "with ***"),
        ("with sk_4eC39HqLyjWDarjtT1", "with ***"),
        ("with pk_test_1234", "with ***"),
        (f"{PEM}\nMIIB\nabc\n-----END PRIVATE KEY-----", f"{PEM}***-----END PRIVATE KEY-----"),
        ("at postgresql://me:hunter2@db.example.com/x", "at postgresql://me:***@db.example.com/x"),
        ("to noura.a+b@example.co.uk.", "to ***."),
        ("noura%40example.com", "***"),
        ("card 4111 1111 1111 1111 declined", "card *** declined"),
        ("2026-11-24 4111-1111-1111-1111", "2026-11-24 ***"),
        ("id 1234 4111 1111 1111 1111", "id 1234 ***"),
        ("3782 822463 10005", "***"),
        ("SA03 8000 0000 6080 1016 7519", "***"),
        ("to SA0380000000608010167519, please", "to ***, please"),
        ("GB82WEST12345698765432", "***"),
        ("national id 1000000008", "national id ***"),
        ("Noura 1000000008", "Noura ***"),
        ("call 0551234567 or 055-123-4567", "call *** or ***"),
        ("+966 55 123 4567 00966551234567 966551234567", "+*** *** ***"),
        (r"b'\n4111111111111111\n0551234567\nSA0380000000608010167519'", r"b'\n***\n***\n***'"),
        (f"b'\\n{JWT}\\nBearer abcdef12\\nsk_live_abcd1'", r"b'\n***\nBearer ***\n***'"),
        ("card%3D4111111111111111%26to%3DSA0380000000608010167519", "card%3D***%26to%3D***"),
        ("(+966) 50 123 4567, +966(0)501234567, (055) 123-4567", "(+***, +***, (***"),
        ("رقم ٠٥٥١٢٣٤٥٦٧", "رقم ***"),
    ],
)
def test_what_looks_like_one_is_hidden(said: str, shown: str) -> None:
    assert hidden(said) == shown
    assert hidden(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("wallet 1000000008 is 5 short", "wallet_id=1000000008", "wallets 1000000008, 1000000016"),
        *("entry 4111111111111111", "amount_minor=4111111111111111", '{"wallet": "0551234567"}'),
        *("SAR 1000000008.50", "550e8400-e29b-41d4-a716-446655440000", "RC-20261124-7K3F9"),
        *("2026-11-24 19:00:00.123456", "1764000000000", "total 4000 5000 6000 7000"),
        *(
            "4111 1111 1111 1112",
            "SA0380000000608010167510",
            "1000000009",
            "0451234567",
            "K7M2-9QXF",
        ),
        *("postgresql://me@db.example.com/x", "sk_customer_id", "basic checks passed", "root@host"),
        "bearer authentication failed",
    ],
)
def test_identifiers_amounts_and_words_are_left_as_they_are(text: str) -> None:
    assert hidden(text) == text


def _with_check(digits: str, is_right: Callable[[str], bool]) -> str:
    return next(digits + last for last in "0123456789" if is_right(digits + last))


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


words = st.text("abcdefgh \n\t.,;:()'\"", max_size=20).filter(lambda text: not text.isspace())


@given(st.sampled_from("456"), digits(14), words, words)
def test_a_card_is_hidden_wherever_it_stands(
    first: str, more: str, before: str, after: str
) -> None:
    if first == "5":
        first, more = "51", more[1:]
    card = _with_check(first + more, is_luhn)
    for spelt in (card, " ".join(card[at : at + 4] for at in range(0, 16, 4))):
        assert spelt not in hidden(f"{before} {spelt} {after}")


@given(st.sampled_from("12"), digits(8), words, words)
def test_a_national_id_is_hidden_wherever_it_stands(
    first: str, more: str, before: str, after: str
) -> None:
    national = _with_check(first + more, is_luhn)
    assert national not in hidden(f"{before} {national} {after}")


@given(digits(8), words, words)
def test_a_telephone_is_hidden_wherever_it_stands(more: str, before: str, after: str) -> None:
    for spelt in (f"05{more}", f"+9665{more}", f"009665{more}"):
        assert spelt.lstrip("+") not in hidden(f"{before} {spelt} {after}")


@given(digits(18), words, words)
def test_an_iban_is_hidden_wherever_it_stands(account: str, before: str, after: str) -> None:
    # S is 28, A is 10; the check digits are what is left to 98.
    iban = f"SA{98 - int(f'80{account}281000') % 97:02}80{account}"
    for spelt in (iban, " ".join(iban[at : at + 4] for at in range(0, 24, 4))):
        assert spelt not in hidden(f"{before} {spelt} {after}")


@given(
    digits(10),
    st.sampled_from(["wallet {}", "wallet={}", "wallet_id: {}", '{{"wallet": "{}"}}', "entry #{}"]),
)
def test_a_wallet_of_ten_digits_survives(wallet: str, text: str) -> None:
    assert hidden(text.format(wallet)) == text.format(wallet)
    data = {"wallet": wallet, "wallets": [wallet], "amount_minor": int(wallet)}
    assert hidden_data(data) == data
    assert hidden_key(f"payout-{wallet}") == f"payout-{wallet}"


@given(st.integers(), st.text())
def test_numbers_are_never_touched_and_no_text_is_refused(number: int, text: str) -> None:
    assert hidden_data([number, {"a": number}]) == [number, {"a": number}]
    assert isinstance(hidden(text), str)


def test_data_is_hidden_by_its_names_and_in_its_texts() -> None:
    data = {
        "pin": 1234,
        "password": {"old": "a"},
        "to": ["noura@example.com", None, 1.5, True],
        "noura@example.com": 1,
        "has_token": True,
        "token": None,
        "secret": "${secret:bank}",
        "tokens": 512,
    }
    assert hidden_data(data) == {
        "pin": "***",
        "password": "***",
        "to": ["***", None, 1.5, True],
        "***": 1,
        "has_token": True,
        "token": None,
        "secret": "${secret:bank}",
        "tokens": 512,
    }
