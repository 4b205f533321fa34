"""Users of a ledger and their tokens, of which nothing is kept that could be used."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, insert, select, update

from engine.errors import Invalid
from engine.store.act import Act, note
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.roles import Role
from engine.store.turns import take_turn
from engine.store.user_tables import user_tokens, users

# A token that is used often need not write each time.
_USED_EVERY = timedelta(hours=1)

# The scope of commands that manage users.
_MANAGES = "users"


class FirstIsNoAdmin(Invalid):
    """From the first user on nobody acts without a token, so that one must be able to give them."""

    message = "the first user must be an admin, who can add the others: --role admin"


@dataclass(frozen=True, kw_only=True)
class User:
    """A person or a program that tokens are given to."""

    name: str
    role: Role
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as it is known afterwards. Without `scopes` it is good for all that its user may."""

    id: int
    user: str
    scopes: Sequence[str]
    created_at: datetime
    created_by: str
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """Whoever shows a token that is valid now."""

    name: str
    role: Role
    scopes: Sequence[str]


class UserStore:
    """The users of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def exist(self) -> bool:
        """Whether there are any, so that nobody acts without a token."""
        with self.database.read() as connection:
            return bool(connection.execute(select(exists().select_from(users))).scalar())

    def bearer(self, digest: str, *, acts: bool = False) -> Bearer | None:
        """Whose token it is; None if it is unknown, expired, revoked, or its user disabled.

        That it is used is noted if its bearer `acts`: who only looks may do so under a role of the
        database that only reads.
        """
        query = (
            select(users.c.name, users.c.role, user_tokens.c.scopes, _IS_STALE.label("stale"))
            .join_from(user_tokens, users)
            .where(user_tokens.c.hash == digest, _VALID)
        )
        with self.database.read() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:
            return None
        if acts and found.stale:
            here = update(user_tokens).where(user_tokens.c.hash == digest)
            with self.database.begin(lasting=False) as connection:
                connection.execute(here.values(used_at=database_now()))
        return Bearer(name=found.name, role=Role(found.role), scopes=found.scopes)

    def add(self, name: str, role: Role, *, actor: str) -> bool:
        """A new user, or a disabled one anew; False if there is an enabled one of this name.

        Raises FirstIsNoAdmin.
        """
        with self.database.begin() as connection:
            take_turn(connection, "users", "")
            if role is not Role.ADMIN and not _admins(connection):
                raise FirstIsNoAdmin
            known = _user(connection, name)
            if known is not None and known.disabled_at is None:
                return False
            made = {"role": role, "created_at": database_now(), "created_by": actor}
            if known is None:
                connection.execute(insert(users).values(name=name, **made))
            else:
                anew = update(users).where(users.c.name == name)
                connection.execute(anew.values(disabled_at=None, **made))
            facts = {"before": _was(known), "after": role}
            note(connection, Act(actor=actor, act="add user", subject=_of(name), facts=facts))
        return True

    def change_role(self, name: str, role: Role, *, actor: str) -> bool:
        """Another role for an enabled user; False if nobody would be left who is an admin."""
        with self.database.begin() as connection:
            take_turn(connection, "users", "")
            if role is not Role.ADMIN and _admins(connection) <= {name}:
                return False
            facts = {"before": _was(_user(connection, name)), "after": role}
            connection.execute(update(users).where(users.c.name == name).values(role=role))
            note(connection, Act(actor=actor, act="change role", subject=_of(name), facts=facts))
        return True

    def disable(self, name: str, *, actor: str, reason: str | None) -> bool:
        """Neither the user nor a token of theirs is good any more; False for the last admin."""
        with self.database.begin() as connection:
            take_turn(connection, "users", "")
            if _admins(connection) <= {name}:
                return False
            disabled = update(users).where(users.c.name == name, users.c.disabled_at.is_(None))
            facts = {"before": _was(_user(connection, name)), "after": "disabled"}
            connection.execute(disabled.values(disabled_at=database_now()))
            _revoke(connection, user_tokens.c.user == name)
            disabling = Act(
                actor=actor, act="disable user", subject=_of(name), reason=reason, facts=facts
            )
            note(connection, disabling)
        return True

    def give_token(
        self, name: str, digest: str, *, scopes: Collection[str], lasts: timedelta, actor: str
    ) -> Token:
        """A token of the user, of which the ledger knows this digest only."""
        made = {
            "user": name,
            "hash": digest,
            "scopes": sorted(scopes),
            "created_at": database_now(),
            "created_by": actor,
            "expires_at": database_now(moved_by=lasts),
        }
        with self.database.begin() as connection:
            written = insert(user_tokens).values(made).returning(*_TOKEN)
            given = Token(**connection.execute(written).mappings().one())
            facts = {**_facts(given), "digest": digest}
            note(connection, Act(actor=actor, act="give token", subject=_of(name), facts=facts))
        return given

    def revoke(self, token_id: int, *, actor: str, reason: str | None) -> Token | None:
        """The token is good no more; as it was before, or None if it was not good any more."""
        with self.database.begin() as connection:
            take_turn(connection, "users", "")
            before = select(*_TOKEN).where(user_tokens.c.id == token_id, _NOT_OVER)
            found = connection.execute(before).mappings().one_or_none()
            if found is None:
                return None
            _revoke(connection, user_tokens.c.id == token_id)
            was = Token(**found)
            revoking = Act(
                actor=actor, act="revoke token", subject=_of(was.user), reason=reason,
                facts=_facts(was),
            )  # fmt: skip
            note(connection, revoking)
        return was

    def find(self, name: str) -> User | None:
        """The user of this name."""
        with self.database.read() as connection:
            return _user(connection, name)

    def all(self) -> Sequence[User]:
        """Every user, by name."""
        with self.database.read() as connection:
            rows = connection.execute(select(users).order_by(users.c.name)).mappings()
            return [_as_user(row) for row in rows]

    def tokens(self, *, valid: bool = True) -> Sequence[Token]:
        """The tokens of all users, the newest last; those that are good now, or all."""
        query: Select[Any] = select(*_TOKEN).join_from(user_tokens, users)
        query = query.where(_VALID) if valid else query
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(user_tokens.c.id)).mappings()
            return [Token(**row) for row in rows]

    def digests(self) -> Mapping[int, str]:
        """What each token is known by."""
        with self.database.read() as connection:
            rows = connection.execute(select(user_tokens.c.id, user_tokens.c.hash))
            return {row.id: row.hash for row in rows}

    def with_role(self, needed: Role) -> Sequence[str]:
        """The names of the enabled users who may do what that role may."""
        return [
            user.name
            for user in self.all()
            if user.disabled_at is None and user.role.covers(needed)
        ]

    def an_admin_can_let_in(self) -> bool:
        """Whether an admin has a valid token that is good for giving tokens."""
        query = (
            select(user_tokens.c.scopes)
            .join(users, user_tokens.c.user == users.c.name)
            .where(users.c.role == Role.ADMIN, _VALID)
        )
        with self.database.read() as connection:
            found = connection.execute(query).scalars().all()
        return any(not scopes or _MANAGES in scopes for scopes in found)


_NOT_OVER: ColumnElement[bool] = and_(
    user_tokens.c.revoked_at.is_(None), user_tokens.c.expires_at > database_now()
)
_VALID: ColumnElement[bool] = and_(_NOT_OVER, users.c.disabled_at.is_(None))
_IS_STALE: ColumnElement[bool] = and_(
    user_tokens.c.used_at.is_not(None), user_tokens.c.used_at > database_now(-_USED_EVERY)
).is_(False)
_TOKEN = tuple(column for column in user_tokens.c if column.name != "hash")


def _user(connection: Connection, name: str) -> User | None:
    found = connection.execute(select(users).where(users.c.name == name)).mappings().one_or_none()
    return None if found is None else _as_user(found)


def _of(name: str) -> str:
    return f"user {name}"


def _was(user: User | None) -> str | None:
    if user is None:
        return None
    return f"{user.role}, disabled" if user.disabled_at else str(user.role)


def _facts(token: Token) -> dict[str, Any]:
    until = token.expires_at.isoformat()
    return {"id": token.id, "scopes": list(token.scopes), "expires_at": until}


def _as_user(row: Mapping[Any, Any]) -> User:
    return User(**{**row, "role": Role(row["role"])})


def _admins(connection: Connection) -> set[str]:
    enabled = (users.c.role == Role.ADMIN, users.c.disabled_at.is_(None))
    return set(connection.execute(select(users.c.name).where(*enabled)).scalars())


def _revoke(connection: Connection, which: ColumnElement[bool]) -> None:
    open_ = (which, user_tokens.c.revoked_at.is_(None))
    connection.execute(update(user_tokens).where(*open_).values(revoked_at=database_now()))
