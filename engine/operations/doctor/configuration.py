"""What people write is wrong: settings, jobs, schedules.yaml."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from engine.errors import Invalid
from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import Patient
from engine.operations.doctor.probes import commands_in

# What each of these makes of the settings is refused if it cannot be.
_MADE_OF_SETTINGS = ("settings", "database", "doorbell", "storage", "sources")


def _settings(patient: Patient) -> Iterator[Finding]:
    for part in _MADE_OF_SETTINGS:
        try:
            getattr(patient, part)
        except Invalid as error:
            file = Path(os.environ.get("ENGINE_HOME", "."), ".env")
            steps = commands_in(str(error)) or ["env | grep ^ENGINE_", _edit(file)]
            yield Finding(text=str(error), next=steps)
            if part == "settings":
                return


def _jobs(patient: Patient) -> Iterator[Finding]:
    home = patient.settings.home
    try:
        found = patient.jobs
    except Invalid as error:
        yield Finding(text=str(error), next=["engine jobs"])
        return
    if not found:
        text = f"no job is defined in {home / 'jobs'}; is ENGINE_HOME right?"
        yield Finding(text=text, next=["env | grep ^ENGINE_", "engine jobs"])


def _schedules(patient: Patient) -> Iterator[Finding]:
    _ = patient.usable_jobs
    try:
        _ = patient.schedules
    except Invalid as error:
        file = patient.settings.schedules_file
        first = str(error).splitlines()[0]
        yield Finding(text=first, next=["engine schedules check", _edit(file)])


def _edit(file: Path) -> str:
    return f"${{EDITOR:-vi}} {shlex.quote(str(file))}"


SETTINGS = Cause(
    name="settings",
    question=Question.NOT_PROCESSING,
    fine="the settings and their URLs can be used",
    look=_settings,
)
JOBS = Cause(
    name="jobs", question=Question.NOT_PROCESSING, fine="the jobs can be loaded", look=_jobs
)
SCHEDULES_FILE = Cause(
    name="schedules_file",
    question=Question.NOT_PROCESSING,
    fine="schedules.yaml has no errors",
    look=_schedules,
)
