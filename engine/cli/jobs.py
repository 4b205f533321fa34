"""`engine jobs`: what can be run."""

from typing import TYPE_CHECKING, Any

from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table

if TYPE_CHECKING:
    from engine.job import Job


def jobs(as_json: Json = False) -> None:
    """The jobs, their queues, parameters and policies."""
    found = [_job_json(job) for job in the_app().jobs.values()]
    if as_json:
        print_json({"jobs": found})
        return
    rows = [
        each
        | {
            "params": " ".join(_param_text(param) for param in each["params"]),
            "time_limit": _seconds(each["time_limit_seconds"]),
        }
        for each in found
    ]
    columns = ["name", "queue", "attempts", "time_limit", "on_crash", "params", "summary"]
    print_table(rows, columns, empty="There are no jobs yet: write a function with @job in jobs/.")


def _job_json(job: "Job") -> dict[str, Any]:
    return {
        "name": job.name,
        "summary": job.summary,
        "queue": job.queue,
        "params": [
            {
                "name": param.name,
                "type": param.type_text,
                "required": param.required,
                "default": param.default,
            }
            for param in job.params.values()
        ],
        "attempts": job.retry.attempts,
        "backoff_seconds": [wait.total_seconds() for wait in job.retry.waits]
        or [job.retry.first_wait.total_seconds()],
        "time_limit_seconds": job.time_limit.total_seconds() if job.time_limit else None,
        "memory_limit_bytes": job.memory_limit,
        "on_crash": job.on_crash,
        "isolated": job.isolated,
    }


def _param_text(param: dict[str, Any]) -> str:
    return param["name"] if param["required"] else f"[{param['name']}]"


def _seconds(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds:g} s"
