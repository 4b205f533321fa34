"""`engine jobs`: what can be run."""

from typing import TYPE_CHECKING, Any

from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table

if TYPE_CHECKING:
    from engine.job import Job
    from engine.retry import ErrorName, RetryPolicy

# Failures after which no wait grows any more.
_ENDLESS = 1_000


def jobs(as_json: Json = False) -> None:
    """The jobs, their queues, parameters and policies.

    \b
    Examples:
      engine jobs
      engine jobs --json
    """
    found = [_job_json(job) for job in the_app().jobs.values()]
    if as_json:
        print_json({"jobs": found})
        return
    rows = [
        each
        | {
            "params": " ".join(_param_text(param) for param in each["params"]),
            "backoff": _backoff_text(each),
            "retries": _retries_text(each),
            "limits": _limits_text(each),
            "time_limit": _seconds(each["time_limit_seconds"]),
            "moves_money": _money_text(each),
        }
        for each in found
    ]
    columns = [
        "name",
        "queue",
        "attempts",
        "backoff",
        "retries",
        "time_limit",
        "limits",
        "on_crash",
        *(["moves_money"] if any(each["financial"] for each in found) else []),
        "params",
        "summary",
    ]
    empty = "There are no jobs yet: write a function with @job in jobs/."
    print_table(
        rows, columns, empty=empty, spare=("attempts", "backoff", "retries", "limits", "on_crash")
    )


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
                "default": "***" if param.sealed and param.default else param.default,
                "sealed": param.sealed,
            }
            for param in job.params.values()
        ],
        "attempts": job.attempts,
        **_backoff(job.retry),
        "retry_on": [_error_name(each) for each in job.retry.retry_on],
        "never_retry_on": [_error_name(each) for each in job.retry.never_retry_on],
        "retry_until_seconds": job.retry.retry_until and job.retry.retry_until.total_seconds(),
        "time_limit_seconds": job.time_limit.total_seconds() if job.time_limit else None,
        "memory_limit_bytes": job.memory_limit,
        "on_crash": job.on_crash,
        "financial": job.financial,
        "effects": job.effects,
        "isolated": job.isolated,
        "unique_by": None if job.unique_by is None else list(job.unique_by),
        "on_duplicate": job.on_duplicate,
        "concurrency": job.concurrency,
        "rate": job.rate,
        "limit_by": list(job.limit_by),
        "priority": job.priority,
    }


def _backoff(policy: "RetryPolicy") -> dict[str, Any]:
    waits = policy.waits or (policy.wait_after(1),)
    return {
        "backoff": "listed" if policy.waits else "doubling",
        "backoff_seconds": [wait.total_seconds() for wait in waits],
        "longest_wait_seconds": policy.wait_after(_ENDLESS).total_seconds(),
        "jitter": policy.jitters,
    }


def _backoff_text(job: dict[str, Any]) -> str:
    if job["attempts"] == 1:
        return ""
    listed = ",".join(f"{each:g}" for each in job["backoff_seconds"])
    doubling = "" if job["backoff"] == "listed" else ", doubling"
    return f"{listed} s{doubling}{', jitter' if job['jitter'] else ''}"


def _retries_text(job: dict[str, Any]) -> str:
    parts = {"on": job["retry_on"], "never on": job["never_retry_on"]}
    texts = [f"{word} {', '.join(names)}" for word, names in parts.items() if names]
    if job["retry_until_seconds"]:
        texts.append(f"for {job['retry_until_seconds']:g} s")
    return "; ".join(texts)


def _money_text(job: dict[str, Any]) -> str:
    if not job["financial"]:
        return ""
    return "by effects done once" if job["effects"] else "never repeated by itself"


def _limits_text(job: dict[str, Any]) -> str:
    limits = [f"{job['concurrency']} at a time"] if job["concurrency"] else []
    limits += [job["rate"]] if job["rate"] else []
    texts = [", ".join(limits) + _for_each(job["limit_by"])] if limits else []
    if job["unique_by"] is not None:
        texts.append(f"one unfinished{_for_each(job['unique_by'])}")
    if job["priority"]:
        texts.append(f"priority {job['priority']}")
    return "; ".join(texts)


def _for_each(names: list[str]) -> str:
    return f" for each {', '.join(names)}" if names else ""


def _error_name(error: "ErrorName") -> str:
    return error if isinstance(error, str) else error.__name__


def _param_text(param: dict[str, Any]) -> str:
    return param["name"] if param["required"] else f"[{param['name']}]"


def _seconds(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds:g} s"
