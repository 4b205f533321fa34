"""What holds for each cause, whatever it is."""

import re
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.operations.doctor.cause import Cause, Question, Verdict
from engine.operations.doctor.examination import CAUSES, examine
from engine.operations.doctor.patient import Patient
from engine.settings import Settings, load_settings
from engine.store.database import Database
from tests.builders.patient import Home, own_jobs

TESTED = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
NOWHERE = "127.0.0.1:1"


@pytest.fixture(params=CAUSES, ids=lambda cause: cause.name)
def cause(request: pytest.FixtureRequest) -> Cause:
    found: Cause = request.param
    return found


def test_its_name_is_its_own() -> None:
    names = [each.name for each in CAUSES]
    assert len(set(names)) == len(names)


def test_both_questions_are_answered() -> None:
    assert {each.question for each in CAUSES} == set(Question)


def test_a_test_makes_it_true_and_another_one_does_not(cause: Cause) -> None:
    constant = cause.name.upper().replace("NO_PROCESS_MANAGER", "NO_MANAGER")
    assert re.search(rf"(has|look)\(\s*{constant}\b|patient, {constant}\b", TESTED)
    assert f"is_free_of({constant})" in TESTED


def test_an_engine_that_is_well_has_none(cause: Cause, home: Home) -> None:
    home.worker()
    (home.folder / "schedules.yaml").write_text("schedules: {}\n")
    assert home.is_free_of(cause)


def test_what_is_away_makes_it_unchecked_and_no_more(cause: Cause, home: Home) -> None:
    home.database = Database(f"postgresql://engine@{NOWHERE}/engine")
    home.queue_url = f"redis://{NOWHERE}/0"
    found = home.look(cause)
    away = {"ledger_away", "queue_away"}
    assert (found.verdict is Verdict.FOUND) is (cause.name in away)
    if found.verdict is Verdict.UNCHECKED:
        assert found.why


def test_wrong_settings_hide_it_with_one_reason(
    cause: Cause, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path))
    monkeypatch.setenv("ENGINE_QUEUE_URL", "amqp://queue")
    (found,) = examine(Patient(load_settings, SystemClock()), [cause])
    if cause.name == "settings":
        assert found.verdict is Verdict.FOUND
    else:
        assert (found.verdict, found.why) == (Verdict.UNCHECKED, "the settings are wrong")


def test_looking_for_it_makes_nothing(cause: Cause, tmp_path: Path) -> None:
    before = list(tmp_path.iterdir())
    patient = Patient(lambda: Settings(home=tmp_path), SystemClock())
    with own_jobs():
        (found,) = examine(patient, [cause])
    patient.close()
    assert list(tmp_path.iterdir()) == before
    assert found.as_json().keys() == {"name", "question", "verdict", "findings", "why"}
