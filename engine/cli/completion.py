"""Shell completion of values: names and references that the home's files and its ledger have.

Completing changes nothing and makes no ledger. When something is wrong nothing is offered, and
nothing is said: the line that somebody is typing is no place for it.
"""

import io
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, get_type_hints

import typer
from typer.models import CommandInfo, ParameterInfo

from engine.errors import EngineError, Refused
from engine.states import BreakState, RunState

if TYPE_CHECKING:
    from engine.job import Job
    from engine.settings import Settings
    from engine.store.database import Database

# More than a shell shows at once is no help.
_MOST = 50


@dataclass(frozen=True)
class Known:
    """What there is to offer; `typed` are the arguments before, without options."""

    settings: "Settings"
    typed: Sequence[str]

    def jobs(self) -> Collection[str]:
        """The jobs of the home."""
        return self._jobs

    def params(self) -> Collection[str]:
        """The parameters of the job that is typed already."""
        job = self._jobs.get(self.typed[0]) if self.typed else None
        return [f"{name}=" for name in job.params] if job else []

    def queues(self) -> Collection[str]:
        """The queues of jobs, and those in which runs wait."""
        of_jobs = {job.queue for job in self._jobs.values()}
        if self._ledger is None:
            return of_jobs
        from engine.store.run_reader import RunReader

        return of_jobs | {*RunReader(self._ledger).counts()}

    def runs(self) -> Collection[str]:
        """The newest runs, by their references."""
        if self._ledger is None:
            return []
        from engine.store.run_reader import RunReader

        return [run.reference for run in RunReader(self._ledger).newest(limit=_MOST)]

    def schedules(self) -> Collection[str]:
        """The schedules of schedules.yaml."""
        from engine.documents.document import read_document

        return read_document(self.settings.schedules_file).data.get("schedules") or []

    def reconciliations(self) -> Collection[str]:
        """The definitions of reconciliations."""
        return [file.stem for file in self.settings.reconciliations_folder.glob("*.yaml")]

    def reports(self) -> Collection[str]:
        """The definitions of reports."""
        return [file.stem for file in self.settings.reports_folder.glob("*.yaml")]

    def artifacts(self) -> Collection[str]:
        """The newest artifacts, by their ids."""
        if self._ledger is None:
            return []
        from engine.clock import SystemClock
        from engine.store.artifacts import ArtifactStore

        found = ArtifactStore(self._ledger, SystemClock()).list(limit=_MOST)
        return [str(artifact.id) for artifact in found]

    def run_states(self) -> Collection[str]:
        """The states of runs."""
        return [*RunState]

    def causes(self) -> Collection[str]:
        """What the doctor looks for."""
        from engine.operations.doctor.examination import CAUSES

        return [cause.name for cause in CAUSES]

    def break_statuses(self) -> Collection[str]:
        """The statuses of breaks."""
        return [*BreakState]

    @cached_property
    def _jobs(self) -> "Mapping[str, Job]":
        from engine.registry import discover

        return discover(self.settings.home)

    @cached_property
    def _ledger(self) -> "Database | None":
        """The ledger, unless there is none of this version, or it is not for whoever asks."""
        from engine.operations.authority import READ, authority
        from engine.store.database import REVISION, Database
        from engine.store.roles import Role
        from engine.store.users import UserStore

        database = Database(self.settings.database)
        if not (database.exists() and database.revision() == REVISION):
            return None
        token = os.environ.get("ENGINE_TOKEN")
        try:
            authority(UserStore(database), token, command=READ, needs=Role.VIEWER)
        except Refused:
            return None
        return database


# By what an argument is called in the help, or by the name of an option.
VALUES: Mapping[str, Callable[[Known], Collection[str]]] = {
    "JOB": Known.jobs,
    "PARAM": Known.params,
    "QUEUE": Known.queues,
    "RUN": Known.runs,
    "REFERENCE": Known.runs,
    "SCHEDULE": Known.schedules,
    "RECONCILIATION": Known.reconciliations,
    "REPORT": Known.reports,
    "ARTIFACT": Known.artifacts,
    "CAUSE": Known.causes,
    "STATE": Known.run_states,
    "STATUS": Known.break_statuses,
}


def offer_values(commands: typer.Typer) -> None:
    """Have the parameters of every command offer their values."""
    for command in _commands_of(commands):
        hints = get_type_hints(command.callback, include_extras=True) if command.callback else {}
        for name, hint in hints.items():
            for info in getattr(hint, "__metadata__", ()):
                values = VALUES.get(value_name(name, info)) if _is_parameter(info) else None
                if values is not None:
                    info.autocompletion = _offering(values)


def value_name(parameter: str, info: ParameterInfo) -> str:
    """What the value is called: `RUN` of `[RUN...|all]`, else the parameter's own name."""
    named = re.search(r"[A-Z]{3,}", info.metavar or "")
    return named[0] if named else parameter.strip("_").upper()


def _is_parameter(info: object) -> bool:
    return isinstance(info, ParameterInfo) and info.autocompletion is None


def _offering(
    values: Callable[[Known], Collection[str]],
) -> Callable[[typer.Context, str], Iterable[str]]:
    def offer(context: typer.Context, incomplete: str) -> Iterable[str]:
        from engine.settings import load_settings

        # Of `payouts,def` the last one is being typed.
        before, comma, _ = incomplete.rpartition(",")
        # What a job's module prints when it is imported would be taken for a value.
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            try:
                # Behind an option without its value yet, nothing is parsed.
                typed = [context.params.get("job"), *context.args]
                known = Known(load_settings(), [each for each in typed if each])
                return [before + comma + each for each in sorted(values(known))]
            except (EngineError, OSError):
                return []

    return offer


def _commands_of(group: typer.Typer) -> Iterator[CommandInfo]:
    yield from group.registered_commands
    for below in group.registered_groups:
        if below.typer_instance is not None:
            yield from _commands_of(below.typer_instance)
