"""Users and tokens: what is good, until when, and that somebody can always manage them."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.roles import Role
from engine.store.user_tables import user_tokens
from engine.store.users import Bearer, FirstIsNoAdmin, UserStore

DAY = timedelta(days=1)


@pytest.fixture
def users(database: Database) -> UserStore:
    """With sara, who is an admin."""
    store = UserStore(database)
    assert store.add("sara", Role.ADMIN, actor="root")
    return store


def a_token(users: UserStore, name: str, digest: str, *scopes: str) -> int:
    return users.give_token(name, digest, scopes=scopes, lasts=DAY, actor="root").id


def expire(users: UserStore, token_id: int) -> None:
    over = update(user_tokens).where(user_tokens.c.id == token_id)
    with users.database.begin() as connection:
        connection.execute(over.values(expires_at=database_now(-timedelta(milliseconds=1))))


def test_the_first_user_must_be_an_admin(database: Database) -> None:
    users = UserStore(database)
    for role in (Role.VIEWER, Role.OPERATOR, Role.APPROVER):
        with pytest.raises(FirstIsNoAdmin):
            users.add("omar", role, actor="root")
    assert users.exist() is False
    assert users.add("sara", Role.ADMIN, actor="root") is True
    assert users.exist() is True


def test_a_user_is_there_with_who_added_them(users: UserStore) -> None:
    assert users.add("omar", Role.VIEWER, actor="sara") is True
    omar = users.find("omar")
    assert omar is not None
    assert (omar.role, omar.created_by, omar.disabled_at) == (Role.VIEWER, "sara", None)
    assert [user.name for user in users.all()] == ["omar", "sara"]


def test_a_name_is_taken_once(users: UserStore) -> None:
    assert users.add("sara", Role.VIEWER, actor="sara") is False
    sara = users.find("sara")
    assert sara is not None
    assert sara.role is Role.ADMIN


def test_whoever_shows_a_valid_token_is_its_user(users: UserStore) -> None:
    a_token(users, "sara", "digest", "queue", "read")
    assert users.bearer("digest") == Bearer(name="sara", role=Role.ADMIN, scopes=["queue", "read"])
    assert users.bearer("another digest") is None


def test_an_expired_token_is_good_for_nothing(users: UserStore) -> None:
    expire(users, a_token(users, "sara", "digest"))
    assert users.bearer("digest") is None
    assert users.tokens() == []
    assert len(users.tokens(valid=False)) == 1


def test_a_revoked_token_is_good_for_nothing_and_revoked_once(users: UserStore) -> None:
    first, other = a_token(users, "sara", "digest"), a_token(users, "sara", "other")
    revoked = users.revoke(first, actor="sara", reason="was in a screenshot")
    assert revoked is not None
    assert revoked.user == "sara"
    assert users.revoke(first, actor="sara", reason=None) is None
    assert users.revoke(-1, actor="sara", reason=None) is None
    assert users.bearer("digest") is None
    assert [token.id for token in users.tokens()] == [other]


def test_a_disabled_user_has_no_valid_token_even_when_taken_up_again(users: UserStore) -> None:
    users.add("omar", Role.OPERATOR, actor="sara")
    a_token(users, "omar", "digest")
    assert users.disable("omar", actor="sara", reason="left") is True
    assert users.bearer("digest") is None
    assert users.with_role(Role.VIEWER) == ["sara"]
    assert users.add("omar", Role.VIEWER, actor="sara") is True
    assert users.bearer("digest") is None
    omar = users.find("omar")
    assert omar is not None
    assert (omar.role, omar.disabled_at) == (Role.VIEWER, None)


def test_the_last_admin_stays_one(users: UserStore) -> None:
    users.add("omar", Role.OPERATOR, actor="sara")
    assert users.disable("sara", actor="sara", reason=None) is False
    assert users.change_role("sara", Role.VIEWER, actor="sara") is False
    assert users.change_role("omar", Role.ADMIN, actor="sara") is True
    assert users.change_role("sara", Role.VIEWER, actor="sara") is True
    assert users.disable("omar", actor="omar", reason=None) is False
    assert users.disable("sara", actor="omar", reason=None) is True
    assert users.with_role(Role.ADMIN) == ["omar"]


def test_those_who_may_are_named(users: UserStore) -> None:
    for name, role in (("omar", Role.VIEWER), ("aisha", Role.APPROVER), ("noor", Role.OPERATOR)):
        users.add(name, role, actor="sara")
    assert users.with_role(Role.APPROVER) == ["aisha", "sara"]
    assert users.with_role(Role.OPERATOR) == ["aisha", "noor", "sara"]
    assert users.with_role(Role.VIEWER) == ["aisha", "noor", "omar", "sara"]


def test_whether_an_admin_can_prove_it_is_known(users: UserStore) -> None:
    users.add("omar", Role.OPERATOR, actor="sara")
    a_token(users, "omar", "of omar")
    assert users.an_admin_can_let_in() is False
    a_token(users, "sara", "of the board", "read")
    assert users.an_admin_can_let_in() is False
    token_id = a_token(users, "sara", "of sara", "queue", "users")
    assert users.an_admin_can_let_in() is True
    expire(users, token_id)
    assert users.an_admin_can_let_in() is False


def test_that_a_token_acts_is_noted_once_an_hour(users: UserStore) -> None:
    a_token(users, "sara", "digest")
    users.bearer("digest")
    assert users.tokens()[0].used_at is None
    users.bearer("digest", acts=True)
    first = users.tokens()[0].used_at
    assert first is not None
    users.bearer("digest", acts=True)
    assert users.tokens()[0].used_at == first
    earlier = update(user_tokens).values(used_at=database_now(-timedelta(hours=2)))
    with users.database.begin() as connection:
        connection.execute(earlier)
    users.bearer("digest", acts=True)
    again = users.tokens()[0].used_at
    assert again is not None
    assert again >= first


def test_the_digest_of_a_token_is_its_only_trace(users: UserStore) -> None:
    a_token(users, "sara", "digest")
    with users.database.read() as connection:
        (row,) = connection.execute(select(user_tokens)).mappings()
    assert [name for name, value in row.items() if value == "digest"] == ["hash"]
    assert users.digests() == {row["id"]: "digest"}
