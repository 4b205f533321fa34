"""Names say what a secret is, as words of them, and what is a number of ours."""

import pytest

from engine.redaction.names import is_identifier_name, is_secret_name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "PASSWORD",
            "PGPASSWORD",
            "db_pass",
            "smtpPass",
            "userPassword",
            "db-password",
        ),
        *("token", "access_token", "accessToken", "tokens", "TOKEN_VALUE", "token_hash", "otp"),
        *("otpCode", "pin", "cardPin", "PIN", "pin_code", "cvv", "CVV2", "card_cvc", "secret"),
        *("client_secret", "AWS_SECRET_ACCESS_KEY", "api_key", "apiKey", "APIKey", "x-api-key"),
        *("privateKey", "Authorization", "proxy-authorization", "Set-Cookie", "session_id", "jwt"),
    ],
)
def test_the_name_of_a_secret_is_known_in_any_case(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("token_count", "max_tokens", "has_password", "password_expires_at", "secret_name"),
        *("secretary", "shipping", "pinned", "opinion", "passes", "key", "idempotency_key"),
        *("primary_key", "authorization_id", "wallet", "author", "compass", "", "x", "is_token"),
    ],
)
def test_a_name_that_only_looks_like_one_is_not(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["wallet", "wallet_id", "entries", "balanceMinor", "customer_id"])
def test_a_wallet_an_entry_and_an_amount_are_numbers_of_ours(name: str) -> None:
    assert is_identifier_name(name)


@pytest.mark.parametrize("name", ["national_id", "phone", "card_number", "iqama id", "cardAmount"])
def test_what_names_a_person_or_a_card_is_not(name: str) -> None:
    assert not is_identifier_name(name)
