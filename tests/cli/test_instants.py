"""Instants in JSON: one way to write them, whatever command tells them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

_LOOKS_LIKE_ONE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{5,}")
_RIGHT = re.compile(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z")


def instants_in(document: Any) -> Iterator[str]:
    """Every text in a document that looks like an instant."""
    if isinstance(document, dict | list):
        for each in document.values() if isinstance(document, dict) else document:
            yield from instants_in(each)
    elif isinstance(document, str) and _LOOKS_LIKE_ONE.match(document):
        yield document


@pytest.mark.parametrize(
    "command",
    [
        "runs list",
        "runs show 1",
        "runs logs 1",
        "artifacts list",
        "breaks list",
        "breaks show 1",
        "reconciliations list",
        "schedules next",
        "schedules list",
        "queue status",
    ],
)
def test_every_instant_is_utc_to_the_millisecond(told: Callable[..., Any], command: str) -> None:
    found = [*instants_in(told(*command.split()))]
    assert [each for each in found if not _RIGHT.fullmatch(each)] == []
    if command not in {"runs logs 1", "queue status"}:
        assert found
