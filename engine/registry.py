"""The jobs there are: found in a package by looking, never registered by importing."""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

from engine.errors import Invalid
from engine.job import Job


class UnknownJob(Invalid):
    """A schedule or a caller named a job that no module defines."""

    message = "no job is named {name!r}{hint}; `engine jobs` lists them"


class BrokenJobs(Invalid):
    """A module of jobs cannot be imported."""

    message = "jobs in {module} cannot be imported: {error}"


class TwinJobs(Invalid):
    """Two jobs have one name, so neither can be meant."""

    message = "two jobs are named {name!r}: in {first} and in {second}"


def discover(
    home: Path, package: str = "jobs", *, on_fault: Callable[[Invalid], object] | None = None
) -> Mapping[str, Job]:
    """Every Job that a module of `home`/jobs defines, by name; none if there is no such folder.

    Raises BrokenJobs and TwinJobs; with `on_fault` that is told of them instead, and the other
    jobs are found all the same.
    """

    def fault(error: Invalid) -> None:
        if on_fault is None:
            raise error
        on_fault(error)

    folder = home / package
    if not folder.is_dir():
        return {}
    _put_first(str(home))
    found: dict[str, Job] = {}
    origins: dict[str, str] = {}
    for info in sorted(pkgutil.iter_modules([str(folder)]), key=lambda each: each.name):
        module_name = f"{package}.{info.name}"
        try:
            jobs = _jobs_of(module_name, folder)
        except BrokenJobs as error:
            fault(error)
            continue
        for job in jobs:
            if job.name in found:
                fault(TwinJobs(name=job.name, first=origins[job.name], second=module_name))
                continue
            found[job.name], origins[job.name] = job, module_name
    return found


def load(home: Path, module_name: str, name: str) -> Job:
    """The job `name` of one module, whatever is wrong with other modules.

    Raises BrokenJobs, or UnknownJob when the module has it no longer.
    """
    _put_first(str(home))
    package = module_name.partition(".")[0]
    return find({job.name: job for job in _jobs_of(module_name, home / package)}, name)


def _jobs_of(module_name: str, folder: Path) -> list[Job]:
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise BrokenJobs(module=module_name, error=f"{type(error).__name__}: {error}") from error
    if not _lies_in(module, folder):
        other = getattr(module, "__file__", None)
        raise BrokenJobs(module=module_name, error=f"{other} was imported in its place")
    found = (each for each in vars(module).values() if isinstance(each, Job))
    return [job for job in found if job.function.__module__ == module_name]


def _put_first(folder: str) -> None:
    """Have imports look in `folder` before anywhere else."""
    if sys.path[:1] != [folder]:
        sys.path[:] = [folder, *(each for each in sys.path if each != folder)]


def _lies_in(module: ModuleType, folder: Path) -> bool:
    """Whether the module is the one of `folder`, not of another package of that name."""
    return module.__file__ is not None and Path(module.__file__).is_relative_to(folder)


def find(jobs: Mapping[str, Job], name: str) -> Job:
    """The job called `name`; raises UnknownJob with the closest name there is."""
    if name not in jobs:
        close = get_close_matches(name, list(jobs), n=1)
        raise UnknownJob(name=name, hint=f"; closest known name: {close[0]!r}" if close else "")
    return jobs[name]
