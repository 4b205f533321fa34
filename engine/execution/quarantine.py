"""Quarantine: a run that crashes again and again waits for a person, whatever its job's policy.

It may be what kills its workers. A crash is an attempt that nobody ended: its worker was lost, or
its process died without a word (a segmentation fault, the kernel out of memory, `os._exit`). One
that raised, was handed back, or was killed at its own time or memory limit has not crashed.
"""

from engine.execution.outcome import beside_first, run_error
from engine.store.run import CRASHES_ALLOWED, Run, RunError
from engine.store.run_reader import RunReader


def quarantine_error(runs: RunReader, run: Run, error: RunError) -> RunError | None:
    """Why the run, whose attempt has just crashed with `error`, is quarantined; None if not yet."""
    crashes = [attempt for attempt in runs.attempts_of(run.id) if attempt.crashed]
    count = len(crashes) + 1
    if count < CRASHES_ALLOWED:
        return None
    first = f"{crashes[0].error_type}: {crashes[0].error_message}"
    quarantined = run_error(
        "Quarantined",
        f"crashed {count} times; quarantined: look at its attempts and logs "
        f"(engine runs show {run.reference}) before it is retried; the first crash was {first}",
    )
    if run.first_error is None or run.first_error.type == crashes[0].error_type:
        return quarantined
    return beside_first(quarantined, run.first_error)
