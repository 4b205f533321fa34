"""The jobs there are: found in a package by looking, never registered by importing."""

import importlib
import pkgutil
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

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


def discover(home: Path, package: str = "jobs") -> Mapping[str, Job]:
    """Every Job that a module of `home`/jobs defines, by name; none if there is no such folder.

    Raises BrokenJobs and TwinJobs.
    """
    folder = home / package
    if not folder.is_dir():
        return {}
    if str(home) not in sys.path:
        sys.path.insert(0, str(home))
    found: dict[str, Job] = {}
    origins: dict[str, str] = {}
    for info in sorted(pkgutil.iter_modules([str(folder)]), key=lambda each: each.name):
        module_name = f"{package}.{info.name}"
        try:
            module = importlib.import_module(module_name)
        except Exception as error:
            raise BrokenJobs(
                module=module_name, error=f"{type(error).__name__}: {error}"
            ) from error
        for value in vars(module).values():
            if not isinstance(value, Job) or value.function.__module__ != module_name:
                continue
            if value.name in found:
                raise TwinJobs(name=value.name, first=origins[value.name], second=module_name)
            found[value.name], origins[value.name] = value, module_name
    return found


def find(jobs: Mapping[str, Job], name: str) -> Job:
    """The job called `name`; raises UnknownJob with the closest name there is."""
    if name not in jobs:
        close = get_close_matches(name, list(jobs), n=1)
        raise UnknownJob(name=name, hint=f"; closest known name: {close[0]!r}" if close else "")
    return jobs[name]
