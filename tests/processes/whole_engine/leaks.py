"""Jobs that let slip all that they are told, in every way there is: copied as jobs/leaks.py."""

import json
import logging
import os
import signal
import subprocess
import sys
import traceback
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from sqlalchemy import Connection, create_engine, text

from engine.authoring import JobContext, Personal, RetryPolicy, Secret, job

ONCE = RetryPolicy(attempts=1)
NOTHING: dict[str, Any] = {}
logger = logging.getLogger("leaks")


def told(entrance: str) -> list[str]:
    """What it lets slip there; it is kept outside of the home."""
    plants: dict[str, list[str]] = json.loads(Path(os.environ["PLANTS"]).read_text())
    return plants[entrance]


@job(retry=ONCE)
def slip(
    context: JobContext,
    *,
    notes: str,
    password: str,
    contact: Personal[str],
    key_of_bank: Secret[str],
    pin: int = 0,
    facts: dict[str, Any] = NOTHING,
) -> dict[str, Any]:
    """Say everything, and return it."""
    given = (*notes.splitlines(), password, contact, key_of_bank, pin, facts, *facts.values())
    _say(*told("stdout"), *given)
    sys.stderr.writelines(f"{each}\n" for each in (*told("stderr"), *given))
    subprocess.run(["/bin/cat"], input="\n".join(told("subprocess")), text=True, check=True)
    for each in told("command"):
        with _logged():
            subprocess.run(["/bin/false", each], check=True)  # noqa: S603 - does nothing
    _say(dict(os.environ), *os.environ.values())
    for each in told("records"):
        logger.warning("said %s", each, extra={"fact": each})
    for each in told("notes"):
        context.progress(1, 2, each)
    _ask_a_server()
    _ask_databases(context)
    with suppress(ValueError):
        _fail_with_locals(*told("locals"))
    returned = context.once("slip", told("effects"), lambda: {"said": told("effects")})
    return {"said": [*told("results"), *given], "pin": pin, "returned": returned}


@job(retry=ONCE)
def slip_and_fail(context: JobContext) -> None:
    """Say everything in an error, and in what caused it."""
    try:
        raise ValueError("\n".join(told("causes")))
    except ValueError as error:
        raise RuntimeError("\n".join(told("exceptions"))) from error


@job(retry=ONCE)
def slip_and_die(context: JobContext) -> None:
    """Say everything, and be gone."""
    _say(*told("last words"))
    os.kill(os.getpid(), signal.SIGKILL)


@job(isolated=False, retry=ONCE)
def slip_in_a_thread(context: JobContext) -> list[str]:
    """Say everything within the worker."""
    for each in told("thread"):
        logger.warning("said %s", each)
        context.progress(1, 2, each)
    with _logged():
        raise RuntimeError("\n".join(told("thread")))
    return told("thread")


@job(retry=ONCE)
def reconcile_wallets(context: JobContext) -> dict[str, Any]:
    """Find fault with a source that has secrets in its amounts."""
    return context.reconciliations.run(context, "wallets")


def _say(*said: object) -> None:
    print(*said, sep="\n", flush=True)  # noqa: T201 - a job may


class _logged(suppress):  # noqa: N801 - reads as what it does
    """Logs what is raised within, with its traceback, and goes on."""

    def __init__(self) -> None:
        super().__init__(Exception)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if error is not None:
            logger.error("failed: %s", error, exc_info=error)
        return super().__exit__(kind, error, trace)


def _ask_a_server() -> None:
    for at in range(len(told("answers"))):
        try:
            urlopen(f"{os.environ['SHOP']}/{at}")  # noqa: S310 - the test's own
        except HTTPError as error:
            logger.exception("the shop says %r, %s", error.read(), error.headers)


def _ask_databases(context: JobContext) -> None:
    elsewhere = create_engine("sqlite://")
    for at, each in enumerate(told("sql")):
        with _logged(), elsewhere.begin() as connection:
            _break_a_rule(connection, each)
        with _logged():
            context.once(f"rule-{at}", at, partial(_break_a_rule, said=each))
    elsewhere.dispose()


def _break_a_rule(connection: Connection, said: str) -> None:
    connection.execute(text("CREATE TEMPORARY TABLE IF NOT EXISTS said (words text UNIQUE)"))
    for _ in range(2):
        connection.execute(text("INSERT INTO said VALUES (:words)"), {"words": said})


def _fail_with_locals(password: str, mail: str, card: str) -> None:
    try:
        raise ValueError(f"no {password[:2]}")
    except ValueError as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
        sys.stderr.write("".join(lines))
        raise
