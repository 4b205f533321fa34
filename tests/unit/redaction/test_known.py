"""Passwords that are known are hidden however they are spelt, and in no time."""

import time

import pytest

from engine.redaction.known import Secrets
from engine.redaction.urls import hide_password


@pytest.mark.parametrize(
    "said",
    ["p@s's\\1", "p%40s%27s%5C1", repr({"x": "p@s's\\1"}), r"password='p@s\'s\\1'", "«p@s's\\1»"],
)
def test_a_known_password_is_hidden_however_it_is_spelt(said: str) -> None:
    hidden = Secrets(["p%40s's%5C1"]).hidden_in(said)
    assert "***" in hidden
    assert "s\\1" not in hidden
    assert "s%5C1" not in hidden


def test_short_passwords_hide_words_but_no_parts_of_words() -> None:
    secrets = Secrets(["abc", "pass", "Longer-1234"])
    assert secrets.hidden_in("abc pass passes engine_pass") == "abc *** passes engine_***"
    assert secrets.hidden_in("xLonger-1234x") == "x***x"


def test_without_secrets_only_what_calls_itself_one_is_hidden() -> None:
    assert Secrets([]).hidden_in("pass password=x") == "pass password=***"


def test_the_password_of_a_url_is_hidden_though_it_is_not_escaped() -> None:
    url = "postgresql://me:se/c@ret@db/x"
    assert hide_password("no user se/c@ret\n here", url) == "no user *** here"


@pytest.mark.parametrize(
    "text",
    [
        *("password" * 20_000, "password='" * 20_000, "password = " * 20_000, "?password" * 20_000),
        *("a://b:" * 20_000, "a://b@" + "://b:" * 20_000, "a.b-" * 20_000, "a=b " * 20_000),
        *("1 " * 40_000 + "@", "4111 " * 20_000, "SA00 " * 20_000 + "1" * 9, "(pin)=(" * 9_000),
        *("pin [" * 20_000, "otp is " * 20_000, "eyJ" * 30_000, "token='\\" * 20_000),
        *("insert into a (token) values (" * 3_000, "failing row contains (" * 5_000),
        *("[SQL: token " * 2_000 + "]\n[parameters: ", "Authorization: Digest " * 5_000),
    ],
    ids=lambda text: text[:12],
)
def test_the_longest_lines_take_no_time(text: str) -> None:
    begun_at = time.process_time()
    Secrets(["Longer-1234"]).hidden_in(text)
    # A second would be no more than a few milliseconds for a line of the greatest length.
    assert time.process_time() - begun_at < 1


def test_lines_without_a_secret_cost_microseconds() -> None:
    secrets = Secrets(["Longer-1234", "other%2Fpassword"])
    lines = [
        "reconciled 1204 rows in 3.2 s, nothing differs",
        "INFO engine.worker: run ends job='nightly' queue='default' attempt=1 seconds=1.2",
        "2026-11-24 19:00:00,123 INFO imported file 12 of 200 from the bank",
    ]
    begun_at = time.process_time()
    for _ in range(1_000):
        for line in lines:
            assert secrets.hidden_in(line) is line
    # About 3 on a machine of its own.
    assert (time.process_time() - begun_at) / 3_000 < 30e-6
