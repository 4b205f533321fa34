"""Authority: whoever acts, and whether they may. Where there are no users, every login may."""

from engine.errors import Refused
from engine.operations.actor import Actor, operating_system_login
from engine.operations.tokens import digest_of
from engine.store.roles import Role
from engine.store.users import Bearer, UserStore

# Commands that only look are one scope: what a dashboard's token is for.
READ = "read"
# What lets somebody in again when no admin has a token any more.
_WAY_BACK = "users token"


class TokenNotValid(Refused):
    """A token was shown, and it is nobody's."""

    message = (
        "ENGINE_TOKEN is no token of this ledger, or is no longer valid: it expired, was revoked, "
        "or its user was disabled; an admin gives another one (`engine users token NAME`)"
    )


class TokenNeeded(Refused):
    """There are users, and nobody said which one acts."""

    message = (
        "`engine {command}` is for users with the role {needs} here; put your token in "
        "ENGINE_TOKEN, which an admin gives you (`engine users token NAME`)"
    )


class RoleTooLow(Refused):
    """The user may not do this."""

    message = (
        "{name} is {role}, and `engine {command}` is for users with the role {needs}: {others}"
    )


class OutOfScope(Refused):
    """The user may, and this token of theirs is for other things."""

    message = "this token of {name} is good for {scopes} only, and `engine {command}` is not"


def authority(users: UserStore, token: str | None, *, command: str, needs: Role) -> Actor:
    """Whoever acts by `command`, such as `queue retry`; raises Refused unless they may.

    While no admin has a valid token for managing users, anybody with the ledger's URL may give one
    to an admin, as in the beginning: otherwise nobody ever could.
    """
    if token:
        bearer = users.bearer(digest_of(token), acts=needs is not Role.VIEWER)
        if bearer is None:
            raise TokenNotValid
        _require(bearer, users, command, needs)
        return Actor(bearer.name, authenticated=True, role=bearer.role)
    if users.exist() and not (command == _WAY_BACK and not users.an_admin_can_let_in()):
        raise TokenNeeded(command=command, needs=needs)
    return operating_system_login()


def _require(bearer: Bearer, users: UserStore, command: str, needs: Role) -> None:
    if not bearer.role.covers(needs):
        others = ", ".join(users.with_role(needs)) or "nobody"
        raise RoleTooLow(
            name=bearer.name, role=bearer.role, command=command, needs=needs, others=others
        )
    scope = command.partition(" ")[0]
    reads = READ in bearer.scopes and needs is Role.VIEWER
    if bearer.scopes and not reads and scope not in bearer.scopes:
        scopes = ", ".join(bearer.scopes)
        raise OutOfScope(name=bearer.name, scopes=scopes, command=command)
