"""The queues that `--queue` names, or those that jobs and schedules have."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.errors import Invalid
from engine.job import QUEUE_NAME, Job

if TYPE_CHECKING:
    from engine.schedules.schedule import Schedule


class WrongQueue(Invalid):
    """No queue can have this name."""

    message = "--queue: {name!r} is no queue's name; it must match [a-z0-9_]+"


def queue_names(text: str) -> list[str]:
    """The names between the commas, in their order; raises WrongQueue."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if not QUEUE_NAME.fullmatch(name):
            raise WrongQueue(name=name)
    return names


def served(jobs: Mapping[str, Job], schedules: "Mapping[str, Schedule]") -> list[str]:
    """The queues in which runs of these jobs and schedules will wait."""
    of_jobs = {job.queue for job in jobs.values()}
    return sorted({"default"} | of_jobs | {each.queue for each in schedules.values()})
