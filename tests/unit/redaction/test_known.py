"""Redaction: known passwords are hidden however they are spelt, and so is what calls itself one."""

import time

import pytest

from engine.redaction.hiding import hidden
from engine.redaction.known import Secrets
from engine.redaction.urls import hide_password


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("host=db password=hunter2 user=x", "host=db password=*** user=x"),
        (r"password='it\'s' dbname=x", "password='***' dbname=x"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ("UID=me;PWD=hunter2;DB=x", "UID=me;PWD=***;DB=x"),
        ("{'password': 'hunter 2', 'a': 1}", "{'password': '***', 'a': 1}"),
        ('{"api_key": "hunter2"}', '{"api_key": "***"}'),
        ("AWS_SECRET_ACCESS_KEY=hunt/er+2=", "AWS_SECRET_ACCESS_KEY=***"),
        ("at postgresql://me:hunter2@db/x", "at postgresql://me:***@db/x"),
        (
            "at postgresql://db/x?sslpassword=hunter2&b=1",
            "at postgresql://db/x?sslpassword=***&b=1",
        ),
    ],
)
def test_what_calls_itself_a_password_is_hidden(said: str, shown: str) -> None:
    assert hidden(said) == shown
    assert hidden(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        'password authentication failed for user "engine"',
        "tokens=5 token_count=3 secretary=Noura",
        "the password is wrong: try again",
    ],
)
def test_a_text_about_passwords_is_left_as_it_is(text: str) -> None:
    assert hidden(text) == text


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
    ],
    ids=lambda text: text[:12],
)
def test_the_longest_lines_take_no_time(text: str) -> None:
    begun_at = time.process_time()
    Secrets(["Longer-1234"]).hidden_in(text)
    # A second would be no more than a few milliseconds for a line of the greatest length.
    assert time.process_time() - begun_at < 1
