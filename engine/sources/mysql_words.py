"""What the words of a query tell, that MySQL and MariaDB would let pass."""

import re

_QUOTED = re.compile(
    r"""
      '(?:[^'\\]|\\.|'')*'
    | "(?:[^"\\]|\\.|"")*"
    | `(?:[^`]|``)*`
    | /\*(?!M?!).*?\*/
    | --(?=\s)[^\n]*
    | \#[^\n]*
    """,
    re.VERBOSE | re.DOTALL,
)
_LOCKS = re.compile(r"\b(?:FOR\s+(?:UPDATE|SHARE)|LOCK\s+IN\s+SHARE\s+MODE)\b", re.IGNORECASE)


def objection(query: str) -> str | None:
    """Why a query cannot be used, though it is one SELECT; None if nothing is against it."""
    words = _QUOTED.sub(" ? ", query)
    if re.search(r"/\*M?!", words):
        return "it has a comment that some servers carry out; leave out /*! ... */"
    if found := _LOCKS.search(words):
        # A locking read sees what was committed since the snapshot.
        return f"it locks what it reads; leave out {' '.join(found[0].upper().split())}"
    return None


def names(query: str, table: str) -> bool:
    """Whether a query names a table, as far as words can tell."""
    return re.search(rf"(?<![\w$]){re.escape(table)}(?![\w$])", query, re.IGNORECASE) is not None
