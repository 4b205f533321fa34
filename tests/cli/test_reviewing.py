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


def test_what_was_said_wrongly_is_said_again_and_approved_again(
    engine: Engine, runs: RunStore
) -> None:
    reference = in_doubt(runs)
    review = ("runs", "review", reference, *WHY)
    none = engine(*review)
    assert (none.returncode, "give --approve or --reject, or what came" in none.stderr) == (2, True)
    said = [word for key in KEYS[:2] for word in ("--did-not-happen", key)]
    assert engine(*review, "--approve", *said).returncode == 0
    without_reason = engine("runs", "review", reference, "--happened", KEYS[0])
    assert (without_reason.returncode, "--reason" in without_reason.stderr) == (5, True)
    corrected = engine(*review, "--happened", KEYS[0])
    assert corrected.returncode == 0
    assert "its effects are settled; it is failed and waits for a review" in corrected.stdout
    again = engine(*review, "--happened", KEYS[0])
    assert (again.returncode, "that is known already" in again.stderr) == (1, True)
    assert engine("queue", "retry", reference).returncode == 5
    assert engine(*review, "--approve").returncode == 0
    assert [each["state"] for each in effects_of(engine, reference)] == ["done", "done", "not_done"]
    assert "SETTLED BY" in engine("runs", "effects", reference).stdout
    acts = json.loads(engine("audit", "list", "--json").stdout)["entries"]
    assert [each["act"] for each in acts].count("correct effects") == 1


def test_with_four_eyes_another_user_says_too_that_it_did_not_happen(
    engine: Engine, runs: RunStore
) -> None:
    reference = in_doubt(runs)
    eyes = {"ENGINE_FOUR_EYES": "true"}
    sara = a_user(engine, "sara", "admin") | eyes
    omar = a_user(engine, "omar", "approver", **sara) | eyes
    review = ("runs", "review", reference, "--did-not-happen", KEYS[0], *WHY)
    assert engine(*review, **omar).returncode == 0
    assert effects_of_user(engine, reference, omar)[0]["state"] == "unconfirmed"
    assert engine(*review, **omar).returncode == 1
    assert engine(*review, **sara).returncode == 0
    assert effects_of_user(engine, reference, omar)[0]["state"] == "not_done"


def effects_of_user(engine: Engine, reference: str, user: dict[str, str]) -> list[dict[str, Any]]:
    """Of a run, by key, as this user is shown them."""
    shown = json.loads(engine("runs", "effects", reference, "--json", **user).stdout)["effects"]
    return sorted(shown, key=lambda each: str(each["key"]))


def test_who_cancels_a_run_with_an_open_effect_is_told_what_became_of_it(
    engine: Engine, runs: RunStore
) -> None:
    references = []
    for key in ("order 1", "order 2"):
        claim = a_claim(runs)
        EffectStore(runs.database).start(claim, key, "hash", repeatable=True)
        runs.retry_later(claim, BROKEN, timedelta())
        references.append(runs.get(claim.run_id).reference)
    done = engine("runs", "cancel", references[0], "--reason", "wrong month")
    told = f"{references[0]} has failed instead, and waits for a review"
    assert (done.returncode, told in done.stderr, done.stdout) == (0, True, "")
    cleared = engine("queue", "clear", "--yes", "--json")
    assert json.loads(cleared.stdout) == {
        "queue": "default",
        "cancelled": 0,
        "kept": [references[1]],
        "dry_run": False,
    }
    assert references[1] in cleared.stderr
    assert engine("queue", "discard", references[0]).returncode != 0
