"""Who acts by a command, and whether they may, on every database that can hold a ledger."""

import os
import pwd
from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.operations.actor import Actor
from engine.operations.authority import (
    OutOfScope,
    RoleTooLow,
    TokenNeeded,
    TokenNotValid,
    authority,
)
from engine.operations.users import (
    LastAdmin,
    NotAnAdmin,
    UnknownUser,
    UserThere,
    WrongName,
    add_user,
    change_role,
    disable_user,
    give_token,
)
from engine.store.database import Database
from engine.store.roles import Role
from engine.store.users import UserStore

LOGIN = Actor(pwd.getpwuid(os.getuid()).pw_name)
SARA = Actor("sara", authenticated=True, role="admin")
NEEDS = {
    "runs list": Role.VIEWER,
    "queue retry": Role.OPERATOR,
    "runs review": Role.APPROVER,
    "users add": Role.ADMIN,
}
Token = Callable[..., str]


@pytest.fixture
def users(database: Database) -> UserStore:
    return UserStore(database)


@pytest.fixture
def token_of(users: UserStore) -> Token:
    """Gives a new user of this role a token; sara is an admin who is there."""
    add_user(users, "sara", Role.ADMIN, actor=LOGIN)

    def give(name: str, role: Role | None = None, *scopes: str) -> str:
        if role is not None:
            add_user(users, name, role, actor=SARA)
        return give_token(users, name, scopes=scopes, lasts=timedelta(days=1), actor=SARA)[0]

    return give


def acting(users: UserStore, token: str | None, command: str) -> Actor:
    return authority(users, token, command=command, needs=NEEDS.get(command, Role.VIEWER))


@pytest.mark.parametrize("command", NEEDS)
def test_without_users_every_login_may(users: UserStore, command: str) -> None:
    assert acting(users, None, command) == LOGIN


@pytest.mark.parametrize("role", Role)
def test_a_user_may_what_their_role_says_and_all_below(
    users: UserStore, token_of: Token, role: Role
) -> None:
    token = token_of("omar", role)
    for command, needs in NEEDS.items():
        if role.covers(needs):
            actor = acting(users, token, command)
            assert actor == Actor("omar", authenticated=True, role=role)
        else:
            with pytest.raises(RoleTooLow, match=f"omar is {role}.*{needs}: .*sara"):
                acting(users, token, command)


@pytest.mark.parametrize("command", NEEDS)
def test_where_there_are_users_nobody_acts_without_a_token(
    users: UserStore, token_of: Token, command: str
) -> None:
    token_of("sara")
    with pytest.raises(TokenNeeded, match="ENGINE_TOKEN"):
        acting(users, None, command)


@pytest.mark.parametrize("token", ["nonsense", "engine_" + "a" * 43, "\udcff", "sara", "' OR 1=1"])
def test_a_token_of_nobody_is_refused_even_where_there_are_no_users(
    users: UserStore, token: str
) -> None:
    with pytest.raises(TokenNotValid):
        acting(users, token, "runs list")


def test_a_token_may_be_good_for_some_commands_only(users: UserStore, token_of: Token) -> None:
    token = token_of("sara", None, "queue", "read")
    assert acting(users, token, "queue retry").name == "sara"
    assert acting(users, token, "runs list").name == "sara"
    for command in ("users add", "runs review"):
        with pytest.raises(OutOfScope, match="queue, read"):
            acting(users, token, command)


def test_a_token_for_one_noun_does_not_read_all(users: UserStore, token_of: Token) -> None:
    with pytest.raises(OutOfScope):
        acting(users, token_of("sara", None, "queue"), "runs list")


def test_while_no_admin_has_a_token_one_is_given_to_an_admin_only(
    users: UserStore, token_of: Token
) -> None:
    actor = acting(users, None, "users token")
    assert actor == LOGIN
    add_user(users, "omar", Role.APPROVER, actor=SARA)
    lasts = timedelta(days=1)
    with pytest.raises(NotAnAdmin, match="omar is approver: sara"):
        give_token(users, "omar", scopes=[], lasts=lasts, actor=actor)
    text, _ = give_token(users, "sara", scopes=[], lasts=lasts, actor=actor)
    assert acting(users, text, "users add").name == "sara"
    with pytest.raises(TokenNeeded):
        acting(users, None, "users token")


def test_no_token_is_like_another(users: UserStore, token_of: Token) -> None:
    tokens = {token_of("sara") for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) == len("engine_") + 43 for token in tokens)


@pytest.mark.parametrize(
    "name", ["", "Sara", "root (sudo from sara)", "a" * 65, "sä", "a\nb", "-x"]
)
def test_a_name_cannot_be_mistaken_for_a_login_behind_sudo(users: UserStore, name: str) -> None:
    with pytest.raises(WrongName):
        add_user(users, name, Role.ADMIN, actor=LOGIN)


def test_what_is_done_to_users_says_why_it_is_not(users: UserStore, token_of: Token) -> None:
    with pytest.raises(UserThere):
        add_user(users, "sara", Role.VIEWER, actor=SARA)
    with pytest.raises(UnknownUser, match="sara"):
        change_role(users, "sarah", Role.VIEWER, actor=SARA)
    with pytest.raises(LastAdmin):
        change_role(users, "sara", Role.VIEWER, actor=SARA)
    with pytest.raises(LastAdmin):
        disable_user(users, "sara", actor=SARA, reason=None)
    add_user(users, "omar", Role.VIEWER, actor=SARA)
    assert change_role(users, "omar", Role.ADMIN, actor=SARA).role is Role.VIEWER
    disable_user(users, "omar", actor=SARA, reason="left")
    with pytest.raises(UnknownUser, match="disabled"):
        disable_user(users, "omar", actor=SARA, reason=None)
