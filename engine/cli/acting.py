"""Who does what a command does, and whether they may: a role for each command.

Whoever has the database's password can do without the commands; the roles are for those who have
not, and the audit for those who have.
"""

import os
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING

from engine.errors import Refused

if TYPE_CHECKING:
    from engine.app import App
    from engine.operations.actor import Actor

# Processes, and what looks at files alone or must work when nothing else does.
FREE = frozenset(
    {
        *("demo", "up", "scheduler", "queue work", "doctor", "jobs"),
        *("database upgrade", "database status"),
        *("schedules check", "schedules list", "schedules next", "reports schema"),
    }
)
# The commands that change something; all others look, for which a viewer is enough.
NEEDS: Mapping[str, str] = {
    "run": "operator",
    "reports run": "operator",
    **dict.fromkeys(
        [
            *("queue retry", "queue forget", "queue flush", "queue prune", "queue cancel"),
            *("queue pause", "queue resume", "queue clear", "queue restart", "runs cancel"),
        ],
        "operator",
    ),
    "runs review": "approver",
    "secrets rotate": "admin",
    **dict.fromkeys(
        ["users add", "users role", "users disable", "users token", "users revoke"], "admin"
    ),
}
_LOOKING = "viewer"

# The words that reached the command of this process, such as `queue retry`.
command: ContextVar[str] = ContextVar("command", default="")


def require_may(app: "App") -> None:
    """Raise Refused unless whoever acts may do what this process's command does."""
    if command.get() not in FREE:
        acting(app, NEEDS.get(command.get(), _LOOKING))


def why_not(app: "App", needs: str) -> Refused | None:
    """Why whoever acts may not do what takes this role, beside what their command takes."""
    try:
        _authority(app, needs)
    except Refused as error:
        return error
    return None


def acting(app: "App", needs: str = "operator") -> "Actor":
    """Who acts in this process: the user of ENGINE_TOKEN, else the login; raises Refused.

    `needs` is the role that this takes as soon as the ledger has users. Raises MissingKey where
    nothing can be audited.
    """
    actor = _authority(app, needs)
    if needs != _LOOKING:
        app.journal.prepare(by="token" if actor.authenticated else "login")
    return actor


def _authority(app: "App", needs: str) -> "Actor":
    from engine.operations.authority import authority
    from engine.store.roles import Role

    token = os.environ.get("ENGINE_TOKEN")
    return authority(app.users, token, command=command.get(), needs=Role(needs))
