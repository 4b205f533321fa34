"""Shown params: nothing that a run hides is told by the files of a report or their manifests."""

import ast
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.hiding import Hiding
from engine.reporting.definition import ReportDefinition
from engine.reporting.definition_checks import RESERVED
from engine.reporting.manifest import params_told
from engine.reporting.shown_params import shown_values
from engine.sealing import Keys
from tests.builders.reports import ROOT, definitions_in
from tests.unit.schedules.test_scheduled_reports import report

WHO = """\
title: Who
owner: finance
source: canteen
params:
  who: {required: false}
  day: {type: date, required: false}
  guardian: {personal: true, required: false}
  school: {type: integer, default: 7}
query: SELECT :who AS who, :day AS day, :guardian AS guardian, :school AS school
columns:
  who: {label: Who}
  day: {label: Day, type: date}
  guardian: {label: Guardian}
  school: {label: School, type: integer}
"""
DAY = datetime(2026, 11, 23, tzinfo=UTC).date()


@pytest.fixture
def who(tmp_path: Path) -> ReportDefinition:
    """A report that tells what it was given."""
    (tmp_path / "who.yaml").write_text(WHO, encoding="utf-8")
    return definitions_in(tmp_path).written("who")


@pytest.mark.parametrize(
    "stored",
    [
        {"name": "who", "params": {"who": "***"}},
        {"name": "who", "params": {"who": "${secret:bank}"}},
        {"name": "who", "params": {"who": "to ***, today"}},
        {"who": "${secret:bank}"},
        {"who": "***"},
    ],
)
def test_what_the_run_hides_is_told_as_the_run_has_it(who: ReportDefinition, stored: Any) -> None:
    shown = shown_values(who, {"who": "Mona", "day": DAY, "school": 7}, stored)
    assert shown == {"who": stored.get("params", stored)["who"], "day": DAY, "school": 7}
    assert "Mona" not in str(params_told(stored, shown))


def test_what_looks_like_somebodys_own_is_hidden_whoever_gave_it(who: ReportDefinition) -> None:
    shown = shown_values(who, {"who": "mona@mail.example", "school": 7}, {"name": "who"})
    assert shown == {"who": "***", "school": 7}


def test_personal_params_are_told_to_nobody(who: ReportDefinition) -> None:
    stored = {"name": "who", "personal": True, "params": {"guardian": "Mona"}}
    assert shown_values(who, {"guardian": "Mona"}, stored) == {"guardian": "***"}
    assert shown_values(who, {"guardian": None}, stored) == {"guardian": None}


@pytest.mark.parametrize(
    "given", ["${secret:bank}", "$${secret:bank}", "to ${secret:bank}", ["${secret:bank}"]]
)
def test_secrets_are_refused_before_anything_is_booked(
    who: ReportDefinition, tmp_path: Path, given: Any
) -> None:
    definitions = definitions_in(tmp_path)
    ((path, message),) = definitions.wrong("who", {"params": {"who": given}})
    assert path == ("params", "who")
    assert "a secret cannot be a param of a report" in message
    assert [path for path, _ in definitions.wrong("who", {"params": "${secret:bank}"})] == [
        ("params",)
    ]
    assert not list(definitions.wrong("who", {"password": "${secret:bank}"}))


def test_what_the_jobs_take_themselves_is_reserved() -> None:
    tree = ast.parse((ROOT / "jobs" / "reports.py").read_text(encoding="utf-8"))
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    assert [each.name for each in functions] == ["report", "export"]
    taken = {argument.arg for each in functions for argument in each.args.kwonlyargs}
    assert taken == RESERVED


def test_personal_is_a_word_of_a_params_definition(who: ReportDefinition) -> None:
    assert [name for name, param in who.params.items() if param.personal] == ["guardian"]


@pytest.mark.parametrize(
    "given",
    [
        {"name": "who", "params": {"guardian": "Mona", "school": 7}},
        {"name": "who", "guardian": "Mona", "school": 7},
    ],
)
def test_personal_params_are_sealed_as_they_are_booked(
    who: ReportDefinition, tmp_path: Path, given: Any
) -> None:
    hiding = Hiding(lambda: Keys.parse("k" * 32), lambda: {"report": definitions_in(tmp_path)})
    booked = hiding.booked(report, given)
    assert booked.shown == json.loads(json.dumps(given).replace("Mona", "***"))
    name = "params" if "params" in given else "guardian"
    assert booked.to_seal is not None
    assert booked.to_seal.values == {name: given[name]}
    assert hiding.booked(report, {"name": "who", "params": {"guardian": None}}).to_seal is None


def test_all_params_are_sealed_while_a_report_is_not_sound(tmp_path: Path) -> None:
    (tmp_path / "who.yaml").write_text("title: [", encoding="utf-8")
    hiding = Hiding(lambda: Keys.parse("k" * 32), lambda: {"report": definitions_in(tmp_path)})
    shown, _ = hiding.parted(report, {"name": "who", "params": {"guardian": "Mona"}})
    assert shown == {"name": "who", "params": {"guardian": "***"}}
