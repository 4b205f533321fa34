"""The log lines of the engine's processes say their facts, and no secret."""

import logging
from typing import Any

from engine.huey_app.log_lines import WithFacts
from engine.redaction.known import Secrets


def line(message: str, *arguments: object, **facts: Any) -> str:
    """What is written of a record with these facts."""
    record = logging.LogRecord("engine", logging.INFO, "", 1, message, arguments, None)
    vars(record).update(facts)
    return WithFacts(logging.Formatter("%(message)s"), Secrets(["hun/ter2"]).hidden_in).format(
        record
    )


def test_facts_stand_behind_the_message() -> None:
    told = line("run ends", reference="RC-20261124-7K3F9", wallet="1000000008")
    assert told == "run ends reference=RC-20261124-7K3F9 wallet=1000000008"


def test_neither_the_message_nor_a_fact_tells_a_secret() -> None:
    told = line(
        "with %s for %s", "hun/ter2", "noura@example.com", token="a b", card=4111111111111111
    )
    assert told == "with *** for *** token=*** card=***"


def test_a_traceback_tells_none_either() -> None:
    record = logging.LogRecord("engine", logging.ERROR, "", 1, "failed", (), None)
    try:
        raise RuntimeError("password=hunter3")
    except RuntimeError as error:
        record.exc_info = (RuntimeError, error, error.__traceback__)
    told = WithFacts(logging.Formatter()).format(record)
    assert "RuntimeError: password=***" in told
    assert "hunter3" not in told
