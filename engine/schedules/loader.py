"""schedules.yaml, read and checked: every error of the file at once, each at its own line."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from engine.documents.closest import closest, suggestion
from engine.documents.document import Document, read_document
from engine.documents.problem import InvalidDocument, KeyPath, Problem, dotted
from engine.documents.validation import validate
from engine.job import Job
from engine.schedules.durations import duration
from engine.schedules.entry import REPORT_JOB, MissedEntry, ScheduleEntry, SchedulesFile
from engine.schedules.params import Definitions, wrong_params
from engine.schedules.schedule import Schedule
from engine.schedules.tokens import wrong_tokens
from engine.schedules.zones import zone_named

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def load_schedules(
    path: Path, jobs: Mapping[str, Job], definitions: Definitions
) -> Mapping[str, Schedule]:
    """The schedules by name, in the order of the file; raises InvalidDocument.

    `definitions` has the known names for params that name something, by kind; params of a kind
    that is not in it are not checked for that.
    """
    return _Reader(read_document(path), jobs, definitions).read()


class _Reader:
    def __init__(
        self, document: Document, jobs: Mapping[str, Job], definitions: Definitions
    ) -> None:
        self._document = document
        self._jobs = jobs
        self._definitions = definitions
        self._problems: list[Problem] = []

    def read(self) -> Mapping[str, Schedule]:
        entries = self._document.data.get("schedules")
        default = self._default_zone(entries)
        schedules = {}
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if (schedule := self._schedule(name, entry, default)) is not None:
                schedules[name] = schedule
        if self._problems:
            raise InvalidDocument(self._problems)
        return MappingProxyType(schedules)

    def _default_zone(self, entries: Any) -> ZoneInfo:
        # The entries are validated one by one, so that what is wrong with one field of one of
        # them hides nothing else; here only what is around them.
        around = dict(self._document.data)
        if "schedules" in around and (entries is None or isinstance(entries, dict)):
            around["schedules"] = {}
        try:
            file = validate(replace(self._document, data=around), SchedulesFile)
        except InvalidDocument as error:
            self._problems += error.problems
            return zone_named("UTC")
        return zone_named(file.timezone)

    def _schedule(self, name: str, raw: Any, default: ZoneInfo) -> Schedule | None:
        before = len(self._problems)
        path: KeyPath = ("schedules", name)
        if not NAME.fullmatch(name):
            self._wrong(path, "a name is 1 to 64 of a-z, 0-9 and '-', and does not begin with '-'")
        entry = self._entry(path, raw)
        if entry is not None:
            self._check(path, entry, raw)
        if entry is None or len(self._problems) > before:
            return None
        zone = entry.zone(default)
        job, params = entry.work
        missed = MissedEntry(policy=entry.missed) if isinstance(entry.missed, str) else entry.missed
        return Schedule(
            name=name,
            job=job,
            trigger=entry.trigger(zone),
            timezone=zone,
            queue=entry.queue or self._jobs[job].queue,
            params=MappingProxyType(params),
            enabled=entry.enabled,
            overlap=entry.overlap,
            missed=missed.policy,
            within=duration(missed.within) if missed.within else None,
            priority=entry.priority,
            period=entry.period,
        )

    def _entry(self, path: KeyPath, raw: Any) -> ScheduleEntry | None:
        """The entry; of one with errors, its sound fields, so that those are checked as well."""
        try:
            return validate(self._document, ScheduleEntry, at=path)
        except InvalidDocument as error:
            self._problems += error.problems
            if not isinstance(raw, dict):
                return None
            wrong = [problem.path for problem in error.problems]
        sound = {
            field: value
            for field, value in raw.items()
            if field in ScheduleEntry.model_fields
            and not any(_is_inside(each, dotted((*path, field))) for each in wrong)
        }
        return ScheduleEntry.model_validate(sound)

    def _check(self, path: KeyPath, entry: ScheduleEntry, raw: Mapping[str, Any]) -> None:
        """What no field shows by itself."""
        said = {field for field, value in raw.items() if value is not None}
        if {"cron", "every"} <= said:
            self._wrong((*path, "every"), "'cron' and 'every' exclude each other; keep one")
        elif not {"cron", "every"} & said and not any(
            closest(key, ("cron", "every")) for key in said
        ):
            self._wrong(path, "it never fires; give it a 'cron' or an 'every'")
        elif "start" in said and "every" not in said:
            self._wrong((*path, "start"), "'start' is for 'every'; a cron needs none")
        self._check_work(path, entry, raw, said)
        name, params = entry.work
        job = self._jobs.get(name)
        if job is not None and job.financial and raw.get("overlap") == "replace":
            self._refuse_replacing((*path, "overlap"))
        has_period = "period" in said
        wrong = (
            wrong_params(job, params, self._definitions, has_period=has_period)
            if job
            else wrong_tokens(params, has_period=has_period)
        )
        for steps, message in wrong:
            self._wrong((*path, *self._written(entry, steps, said)), message)

    def _check_work(
        self, path: KeyPath, entry: ScheduleEntry, raw: Mapping[str, Any], said: set[str]
    ) -> None:
        """Whether it says what is to be run, and that once."""
        if {"job", "report"} <= said:
            self._wrong((*path, "report"), "'job' and 'report' exclude each other; keep one")
        elif not {"job", "report"} & said and not _misspells(raw, "job", "report"):
            self._wrong(path, "the key 'job' is missing")
        elif entry.job is not None and entry.job not in self._jobs:
            hint = suggestion(entry.job, self._jobs)
            self._wrong((*path, "job"), f"no job is named {entry.job!r}; {hint}")
        elif entry.report is not None and REPORT_JOB not in self._jobs:
            text = f"reports are made by a job named {REPORT_JOB!r}, and there is none"
            self._wrong((*path, "report"), text)
        for key in ("formats", "locales"):
            if key in said and entry.report is None and "report" not in said:
                self._wrong((*path, key), f"{key!r} are of a 'report'; a job has 'params'")

    def _written(self, entry: ScheduleEntry, steps: KeyPath, said: set[str]) -> KeyPath:
        """The way from the entry to what the job's parameters at `steps` came from."""
        if entry.report is None or entry.job is not None:
            return ("params", *steps) if "params" in said else ()
        if steps[:1] == ("name",):
            return ("report",)
        if steps[:1] in (("formats",), ("locales",)) and steps[0] in said:
            return steps
        return steps if "params" in said else ("report",)

    def _refuse_replacing(self, path: KeyPath) -> None:
        # Instead of what is said of a word that nobody may use.
        self._problems = [each for each in self._problems if each.path != dotted(path)]
        self._wrong(
            path,
            "'replace' would stop a financial job while it moves money, and nobody would know how "
            "far it came; use 'skip' or 'queue'",
        )

    def _wrong(self, path: KeyPath, message: str) -> None:
        self._problems.append(self._document.problem(path, message))


def _is_inside(path: str, around: str) -> bool:
    return path == around or path.startswith((f"{around}.", f"{around}["))


def _misspells(raw: Mapping[str, Any], *keys: str) -> bool:
    unknown = raw.keys() - ScheduleEntry.model_fields.keys()
    return any(closest(key, ScheduleEntry.model_fields) in keys for key in unknown)
