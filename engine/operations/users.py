"""Users: who may be one, and what is given to them."""

import re
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from engine.documents.closest import suggestion
from engine.errors import Invalid, Refused
from engine.operations.actor import Actor
from engine.operations.instants import rfc3339
from engine.operations.tokens import digest_of, new_token
from engine.store.roles import Role
from engine.store.users import Token, User, UserStore

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class WrongName(Invalid):
    """Not a name that can be written anywhere and mistaken for nothing else."""

    message = "{name!r} is no name of a user: it must match [a-z0-9][a-z0-9._@-]{{0,63}}"


class UnknownUser(Invalid):
    """The ledger has no such user, or has disabled them."""

    message = "no user is named {name!r}; {hint}"


class UserThere(Invalid):
    """There is one of that name."""

    message = "there is a user {name!r} already; `engine users role` changes what they may"


class LastAdmin(Refused):
    """Nobody would be left who can manage users."""

    message = "{name} is the only admin; make another one first (`engine users role`)"


class NotAnAdmin(Refused):
    """Without an admin's token, only an admin is given one."""

    message = (
        "no admin has a valid token, so one is given to an admin only, and {name} is {role}: "
        "{admins}"
    )


def add_user(users: UserStore, name: str, role: Role, *, actor: Actor) -> None:
    """A user without a token yet; raises WrongName, UserThere and FirstIsNoAdmin."""
    if not _NAME.fullmatch(name):
        raise WrongName(name=name)
    if not users.add(name, role, actor=str(actor)):
        raise UserThere(name=name)


def change_role(users: UserStore, name: str, role: Role, *, actor: Actor) -> User:
    """The user as they were before; raises UnknownUser and LastAdmin."""
    before = require_user(users, name)
    if not users.change_role(name, role, actor=str(actor)):
        raise LastAdmin(name=name)
    return before


def disable_user(users: UserStore, name: str, *, actor: Actor, reason: str | None) -> None:
    """Nothing is accepted from them any more; raises UnknownUser and LastAdmin."""
    require_user(users, name)
    if not users.disable(name, actor=str(actor), reason=reason):
        raise LastAdmin(name=name)


def give_token(
    users: UserStore, name: str, *, scopes: Collection[str], lasts: timedelta, actor: Actor
) -> tuple[str, Token]:
    """A new token, which nobody can be shown again; raises UnknownUser and NotAnAdmin."""
    user = require_user(users, name)
    if not actor.authenticated and user.role is not Role.ADMIN:
        admins = ", ".join(users.with_role(Role.ADMIN))
        raise NotAnAdmin(name=name, role=user.role, admins=admins)
    text = new_token()
    digest = digest_of(text)
    return text, users.give_token(name, digest, scopes=scopes, lasts=lasts, actor=str(actor))


def require_user(users: UserStore, name: str) -> User:
    """The enabled user of this name; raises UnknownUser."""
    user = users.find(name)
    if user is None or user.disabled_at is not None:
        hint = f"known: {', '.join(users.with_role(Role.VIEWER)) or 'none'}"
        if user is not None:
            hint = "they were disabled; `engine users add` takes them up again"
        elif known := users.with_role(Role.VIEWER):
            hint = suggestion(name, known)
        raise UnknownUser(name=name, hint=hint)
    return user


def user_json(user: User, tokens: Collection[Token]) -> dict[str, Any]:
    """A user and their valid tokens, as other programs read it."""
    return {
        "name": user.name,
        "role": user.role,
        "created_at": rfc3339(user.created_at),
        "created_by": user.created_by,
        "disabled_at": rfc3339(user.disabled_at),
        "tokens": [token_json(token) for token in tokens if token.user == user.name],
    }


def token_json(token: Token) -> dict[str, Any]:
    """All that is known of a token; not the token."""
    return {
        "id": token.id,
        "user": token.user,
        "scopes": list(token.scopes),
        "created_at": rfc3339(token.created_at),
        "created_by": token.created_by,
        "expires_at": rfc3339(token.expires_at),
        "used_at": rfc3339(token.used_at),
    }
