"""Users against the audit: nobody is one, and no token is good, without an act that made it so."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.audit.verification import Finding
from engine.store.audit_chain import AuditEntry
from engine.store.users import UserStore


@dataclass(frozen=True)
class _Role:
    user: str
    role: str


@dataclass(frozen=True, kw_only=True)
class _Token:
    id: int
    user: str
    digest: str
    scopes: tuple[str, ...]
    expires_at: str


Fact = _Role | _Token


class UsersByAudit:
    """Who must be a user with which role, and which tokens were given, by what entries say."""

    def __init__(self) -> None:
        self._roles: dict[str, str | None] = {}
        self._tokens: dict[int, _Token] = {}

    def passing(self, entries: Iterable[AuditEntry]) -> Iterator[AuditEntry]:
        """The same entries, of which those about users are remembered."""
        for entry in entries:
            name = (entry.subject or "").removeprefix("user ")
            facts = entry.facts
            if entry.act in {"add user", "change role"}:
                self._roles[name] = facts.get("after")
            elif entry.act == "disable user":
                self._roles[name] = None
                self._tokens = {id_: of for id_, of in self._tokens.items() if of.user != name}
            elif entry.act == "give token":
                given = _Token(
                    id=facts.get("id", 0), user=name, digest=facts.get("digest", ""),
                    scopes=tuple(facts.get("scopes", ())), expires_at=facts.get("expires_at", ""),
                )  # fmt: skip
                self._tokens[given.id] = given
            elif entry.act == "revoke token":
                self._tokens.pop(facts.get("id", 0), None)
            yield entry

    def findings(self, facts: Iterable[Fact]) -> Iterator[Finding]:
        """What no act explains, of what `facts_of` told before and after the entries were read."""
        for fact in sorted(facts, key=str):
            if isinstance(fact, _Role):
                if self._roles.get(fact.user) != fact.role:
                    text = f"user {fact.user} is {fact.role} by no act of the audit"
                    yield Finding(kind="users", text=text)
            elif self._tokens.get(fact.id) != fact:
                text = f"token {fact.id} of {fact.user} is good by no act of the audit"
                yield Finding(kind="users", text=text)


def facts_of(users: UserStore) -> frozenset[Fact]:
    """Who is a user now, and which tokens are good."""
    digests = users.digests()
    tokens = [
        _Token(
            id=token.id, user=token.user, digest=digests.get(token.id, ""),
            scopes=tuple(token.scopes), expires_at=token.expires_at.isoformat(),
        )
        for token in users.tokens()
    ]  # fmt: skip
    roles = [_Role(user.name, user.role) for user in users.all() if user.disabled_at is None]
    return frozenset([*roles, *tokens])
