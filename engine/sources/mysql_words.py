"""What the words of a query tell, that MySQL and MariaDB would let pass."""

import re

QUOTED = re.compile(
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
"""What is between quotes, and comments that no server carries out."""
_DOING_MORE = re.compile(
    r"""
    (?<![\w$@])
    (?: ( get_lock | release_lock | release_all_locks | sleep | benchmark | nextval | setval
        | load_file | sys_exec | sys_eval | \w+_pos_wait | \w+_gtid_wait | wait_for_executed_\w+
        | wait_until_sql_thread_\w+ | group_replication_\w+ ) \s* \(
    | (next \s+ value \s+ for) \b )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LOCKS = re.compile(r"\b(?:FOR\s+(?:UPDATE|SHARE)|LOCK\s+IN\s+SHARE\s+MODE)\b", re.IGNORECASE)


def objection(query: str) -> str | None:
    """Why a query cannot be used, though it is one SELECT; None if nothing is against it."""
    words = QUOTED.sub(" ? ", query)
    if re.search(r"/\*M?!", words):
        return "it has a comment that some servers carry out; leave out /*! ... */"
    if found := _DOING_MORE.search(_calls(query)):
        name = f"{found[1].upper()}()" if found[1] else "NEXT VALUE FOR"
        return f"{name} does more than read; leave it out"
    if found := _LOCKS.search(words):
        # A locking read sees what was committed since the snapshot.
        return f"it locks what it reads; leave out {' '.join(found[0].upper().split())}"
    return None


def _calls(query: str) -> str:
    """The query without comments and texts; a name in quotes stays if it is called."""

    def shown(quoted: re.Match[str]) -> str:
        if quoted[0][0] in '`"' and query[quoted.end() :].lstrip().startswith("("):
            return quoted[0][1:-1]
        return " " if quoted[0][0] in "/-#" else " ? "

    return QUOTED.sub(shown, query)


def names(query: str, table: str) -> bool:
    """Whether a query names a table, as far as words can tell."""
    return re.search(rf"(?<![\w$]){re.escape(table)}(?![\w$])", query, re.IGNORECASE) is not None
