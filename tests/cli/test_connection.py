"""CONNECTION: what Laravel's hands type is taken if the queue is there, else refused with both."""

import pytest

from engine.cli.connection import WrongConnection, require_connection


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "redis://localhost"),
        ("redis", "redis://localhost"),
        ("redis", "rediss://localhost"),
        ("database", "sqlite:///var/queue.db"),
        ("database", "postgresql://db/engine"),
        ("redis://localhost:6379/0", "redis://localhost"),
        ("redis://localhost", "redis://:secret@localhost"),
        ("postgresql://bob@db/engine", "postgresql://bob:secret@db:5432/engine"),
        ("sqlite:///var/queue.db", "sqlite:///var/queue.db"),
    ],
)
def test_it_may_say_where_the_queue_is(given: str | None, url: str) -> None:
    require_connection(given, url)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("redis", "sqlite:///var/queue.db"),
        ("database", "redis://localhost"),
        ("sqs", "redis://localhost"),
        ("redis://other", "redis://localhost"),
        ("redis://localhost/1", "redis://localhost"),
        ("redis://localhost:port", "redis://localhost"),
        ("rediss://localhost", "redis://localhost"),
        ("redis://bob:hunter2@other", "redis://:hunter2@localhost"),
    ],
)
def test_it_is_refused_with_both_and_without_a_password(given: str, url: str) -> None:
    with pytest.raises(WrongConnection) as refused:
        require_connection(given, url)
    assert "hunter2" not in str(refused.value)
    assert given.replace("hunter2", "***") in str(refused.value)
    assert f"ENGINE_QUEUE_URL is {url.replace('hunter2', '***')}" in str(refused.value)


def test_any_way_of_writing_the_url_will_do() -> None:
    ways = ("sqlite:////srv/var/queue.db", "sqlite:///var/queue.db")
    for given in ways:
        require_connection(given, *ways)
