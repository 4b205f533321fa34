"""Preflight: what can be found wrong with a run before it is booked."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from engine.documents.problem import dotted
from engine.job import Job
from engine.schedules.params import Knowing, wrong_params
from engine.signature import InvalidParams


def require_params(
    job: Job, params: Mapping[str, Any], definitions: Mapping[str, Collection[str]]
) -> dict[str, Any]:
    """The params as they are stored; raises InvalidParams with everything that is wrong."""
    problems = [
        (dotted(path), message)
        for path, message in wrong_params(job, params, definitions, has_period=False)
    ]
    if problems:
        text = "; ".join(f"{name}: {message}" if name else message for name, message in problems)
        raise InvalidParams(job=job.name, text=text, problems=problems)
    return job.validate(params)


def roles_for(
    job: Job, params: Mapping[str, Any], definitions: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """The roles that a run with these sound params takes, beside that of running the job."""
    for name, param in job.params.items():
        known = definitions.get(param.kind or "")
        if isinstance(known, Knowing) and isinstance(params.get(name), str):
            role = known.role_for(params[name], params)
            if role is not None:
                yield role
