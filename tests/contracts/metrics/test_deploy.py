"""deploy/: every alert and every panel asks for metrics that are served."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric
from ruamel.yaml import YAML

from engine.metrics.families import EngineFamilies
from engine.metrics.reading import LedgerReader
from engine.metrics.readings import Readings
from tests.builders.commands import problem_with
from tests.builders.database import a_database
from tests.unit.test_job import trial

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = DEPLOY / "prometheus" / "engine.rules.yml"
RULE_TESTS = DEPLOY / "prometheus" / "engine.rules.test.yml"
DASHBOARD = DEPLOY / "grafana" / "engine.json"
NAME = re.compile(r"\bengine_[a-z_]+\b")
LABEL = re.compile(r"\b(\w+)\s*(?:=~|!~|!=|=)\s*\"")
GROUPED = re.compile(r"\b(?:by|on) \(([^)]*)\)")
# Prometheus adds `instance` and a histogram `le`. `job` is taken: it is of whoever is scraped.
OTHER_LABELS = {"instance", "le"}
TAKEN = {"job", "instance"}


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The labels of each sample that is served, by its name."""
    database = a_database(tmp_path_factory.mktemp("ledger"))
    readings = Readings(LedgerReader(database=lambda: database).read, patience=60)
    served = EngineFamilies(readings=readings, jobs={"trial": trial}, version="0.1.0")
    found = {name: labels for metric in served.families() for name, labels in _names(metric)}
    database.dispose()
    return found


def _names(metric: Metric) -> Iterator[tuple[str, set[str]]]:
    for sample in metric.samples:
        yield sample.name, set(sample.labels)
    # One that has no sample as long as there is nothing to show.
    if not metric.samples:
        yield metric.name, set(getattr(metric, "_labelnames", ()))


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    document = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """The panels of the dashboard."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def _expressions() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.mark.parametrize(("where", "expression"), [*_expressions()])
def test_every_query_names_metrics_and_labels_that_are_served(
    families: dict[str, set[str]], where: str, expression: str
) -> None:
    names = set(NAME.findall(expression))
    assert names, where
    assert names <= set(families), where
    labels = set().union(*(families[name] for name in names)) | OTHER_LABELS
    grouped = {each.strip() for group in GROUPED.findall(expression) for each in group.split(",")}
    assert {*LABEL.findall(expression), *grouped} <= labels, where


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"]
        for command in re.findall(r"`(engine [^`]*)`", rule["annotations"]["description"]):
            named = re.sub(r"{{ [^}]* }}", "a", command)
            assert problem_with(named) is None, command


def test_every_alert_that_calls_somebody_is_tried() -> None:
    document = YAML(typ="safe").load(RULE_TESTS.read_text(encoding="utf-8"))
    tried = {
        each["alertname"]
        for test in document["tests"]
        for each in test["alert_rule_test"]
        if "exp_alerts" in each
    }
    calling = {rule["alert"] for rule in rules() if rule["labels"]["severity"] != "info"}
    assert tried == calling
    # Where Prometheus is installed, it says so itself.
    if promtool := shutil.which("promtool"):
        for arguments in (["check", "rules", RULES.name], ["test", "rules", RULE_TESTS.name]):
            done = subprocess.run(  # noqa: S603 - found on the path
                [promtool, *arguments],
                cwd=RULES.parent,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_takes_whatever_data_source_there_is() -> None:
    document = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert (document["id"], document["uid"]) == (None, "engine")
    assert "__inputs" not in document
    source, *others = document["templating"]["list"]
    assert (source["type"], source["name"], source["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    asked = [*others, *panels(), *(each for panel in panels() for each in panel["targets"])]
    assert {each["datasource"]["uid"] for each in asked} == {"${datasource}"}
    variables = {each["name"] for each in document["templating"]["list"]}
    text = DASHBOARD.read_text(encoding="utf-8")
    used = set(re.findall(r"\$\{?([a-z]\w*)\}?", text))
    assert used <= variables


def test_variables_list_labels_that_are_served(families: dict[str, set[str]]) -> None:
    document = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for variable in document["templating"]["list"][1:]:
        found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"])
        assert found
        assert found[2] in families[found[1]]


def test_no_panel_lies_over_another() -> None:
    cells: set[tuple[int, int]] = set()
    numbers = [panel["id"] for panel in panels()]
    assert len(numbers) == len(set(numbers))
    for panel in panels():
        at = panel["gridPos"]
        own = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert max(x for x, _ in own) < 24
        assert not own & cells, panel["title"]
        cells |= own


def _commands() -> Iterator[tuple[str, str, int]]:
    """What process managers start, and how many seconds they wait when they stop it."""
    for file in (DEPLOY / "systemd").glob("*.service"):
        unit = ConfigParser(interpolation=None, strict=False)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read(file)
        service = unit["Service"]
        assert service["Restart"] == "always"
        yield file.name, service["ExecStart"], int(service["TimeoutStopSec"])
    programs = ConfigParser(interpolation=None)
    programs.read(DEPLOY / "supervisor" / "engine.conf")
    for name in programs.sections():
        program = programs[name]
        assert (program["stopsignal"], program["autorestart"]) == ("TERM", "true")
        yield name, program["command"], int(program["stopwaitsecs"])


def test_what_process_managers_start_can_be_typed_and_has_its_grace_time() -> None:
    found = [*_commands()]
    assert len(found) == 4
    for where, command, waits in found:
        program, *words = command.split()
        assert program.endswith("/.venv/bin/engine"), where
        assert problem_with(" ".join(["engine", *words])) is None, where
        grace = re.search(r"--grace=(\d+)", command)
        assert waits >= int(grace[1] if grace else 10) + 15, where


def test_the_page_about_it_names_commands_and_metrics_that_are_there(
    families: dict[str, set[str]],
) -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^engine .*$", page, re.MULTILINE)
    assert lines
    for line in (*lines, *re.findall(r"`(engine [a-z][^`]*)`", page)):
        assert problem_with(line) is None, line
    named = set(NAME.findall(page))
    bases = {re.sub(r"_(bucket|count|sum)$", "", name) for name in families}
    assert named <= bases
    assert bases - {name for name in bases if name.startswith("process_")} <= named


def test_no_label_is_one_that_prometheus_sets(families: dict[str, set[str]]) -> None:
    assert not TAKEN & set().union(*families.values())
