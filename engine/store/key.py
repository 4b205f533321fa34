"""The name of a cause: what was done or booked under it is not done or booked again."""

import unicodedata
from collections.abc import Iterable

from engine.errors import Invalid
from engine.redaction.hiding import hidden_key
from engine.redaction.known import Secrets
from engine.redaction.own import without_own

_LONGEST = 200


class UnusableKey(Invalid):
    """A key that a database does not keep as it is, or does not find again."""

    message = "the key {key!r} {why}; a key has 1 to 200 characters, none of them a control one"


class TellingKey(Invalid):
    """A key that everybody sees holds what nobody should."""

    message = (
        "the key {key!r} holds a secret or personal data, or what looks like one, which stands as "
        "*** here; a key is kept and shown as it is: make it of ids"
    )


def require_key(key: str, known: Iterable[str] = ()) -> None:
    """Raise UnusableKey unless every database keeps the key as it is, TellingKey if none should.

    None should if it holds one of the `known` secrets, one of the attempt that goes on here, or
    what looks like one.
    """
    if not key:
        raise UnusableKey(key=key, why="is empty")
    shown = hidden_key(without_own(Secrets(known).without_known(key)))
    if len(key) > _LONGEST:
        raise UnusableKey(key=f"{shown[:20]}...", why=f"has {len(key)} characters")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in key):
        raise UnusableKey(key=shown, why="has a control character, or half a character")
    # Not masked instead: two causes would have one name then.
    if shown != key:
        raise TellingKey(key=shown)
