"""What people type to say what happened, to approve, and to act on it: with two or four eyes."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.store.effects import EffectStore
from engine.store.runs import RunStore
from tests.builders.booking import BROKEN, a_claim, a_run
from tests.cli.conftest import Engine
from tests.cli.own_home import engine as engine
from tests.cli.own_home import runs as runs
from tests.cli.test_users import a_home, a_user

KEYS = ("order 1", "order=2", "order 3")
WHY = ("--reason", "by the gateway's books")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose ledger has no users yet."""
    (tmp_path / "var").mkdir()
    return a_home(tmp_path)


def in_doubt(runs: RunStore) -> str:
    """The reference of a run that failed with two effects open."""
    run = a_run(runs)
    claim = a_claim(runs, run)
    effects = EffectStore(runs.database)
    for key in KEYS:
        effects.start(claim, key, "hash", repeatable=False)
    effects.finish(claim, "order 3", {"charge": "ch_3"})
    runs.retry_later(claim, BROKEN, timedelta())
    return run.reference


def effects_of(engine: Engine, reference: str) -> list[dict[str, Any]]:
    """Of a run, by key."""
    shown = json.loads(engine("runs", "effects", reference, "--json").stdout)["effects"]
    return sorted(shown, key=lambda each: str(each["key"]))


def test_who_approves_says_what_happened_and_whoever_asks_can_read_it(
    engine: Engine, runs: RunStore
) -> None:
    reference = in_doubt(runs)
    shown = effects_of(engine, reference)
    assert [(each["key"], each["state"]) for each in shown] == [
        ("order 1", "unknown"),
        ("order 3", "done"),
        ("order=2", "unknown"),
    ]
    assert "unknown" in engine("runs", "effects", reference).stdout
    error = json.loads(engine("runs", "show", reference, "--json").stdout)["error"]
    assert error["type"] == "EffectUnknown"
    flushed = engine("queue", "flush", "--yes")
    assert (flushed.returncode, "runs effects" in flushed.stderr) == (5, True)
    review = ("runs", "review", reference, "--approve", *WHY)
    unsaid = engine(*review)
    assert (unsaid.returncode, "whether 'order 1', 'order=2' happened" in unsaid.stderr) == (
        5,
        True,
    )
    wrong = engine(*review, "--happened", "order 1={", "--did-not-happen", "order=2")
    assert (wrong.returncode, "must be JSON" in wrong.stderr) == (2, True)
    both = engine(*review, "--happened", "order 1", "--did-not-happen", "order 1")
    assert (both.returncode, "cannot both" in both.stderr) == (2, True)
    other = engine(*review, "--happened", "order 3")
    assert (other.returncode, "open are 'order 1', 'order=2'" in other.stderr) == (2, True)
    refused = engine("queue", "retry", reference)
    assert (refused.returncode, "anybody can" in refused.stderr) == (5, True)
    said = ("--happened", 'order=2={"charge": "ch_2"}', "--did-not-happen", "order 1")
    assert engine(*review, *said).returncode == 0
    shown = effects_of(engine, reference)
    assert [(each["state"], each["result"]) for each in shown] == [
        ("not_done", None),
        ("done", {"charge": "ch_3"}),
        ("done", {"charge": "ch_2"}),
    ]
    assert engine("queue", "retry", reference).returncode == 0


def test_with_four_eyes_one_user_approves_and_another_one_retries(
    engine: Engine, runs: RunStore
) -> None:
    reference = in_doubt(runs)
    eyes = {"ENGINE_FOUR_EYES": "true"}
    said = [word for key in KEYS[:2] for word in ("--did-not-happen", key)]
    review = ("runs", "review", reference, "--approve", *said, *WHY)
    nobody = engine(*review, **eyes)
    assert (nobody.returncode, "put your token in ENGINE_TOKEN" in nobody.stderr) == (5, True)
    sara = a_user(engine, "sara", "admin") | eyes
    omar = a_user(engine, "omar", "approver", **sara) | eyes
    noor = a_user(engine, "noor", "operator", **sara) | eyes
    waits = engine("queue", "retry", reference, **sara)
    assert (waits.returncode, "who can: omar" in waits.stderr) == (5, True)
    assert "sara" not in waits.stderr.partition("who can:")[2]
    too_low = engine(*review, **noor)
    assert (too_low.returncode, "noor is operator" in too_low.stderr) == (5, True)
    assert engine(*review, **omar).returncode == 0
    alone = engine("queue", "retry", reference, **omar)
    assert (alone.returncode, "omar approved of it" in alone.stderr) == (5, True)
    left = json.loads(engine("queue", "retry", reference, "--json", **omar).stdout)["left"]
    assert (left[0]["why"], left[0]["approvers"]) == ("same_person", ["sara"])
    assert engine("queue", "retry", reference, **noor).returncode == 0
