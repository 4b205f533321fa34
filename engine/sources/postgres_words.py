"""What the words of a query tell, that PostgreSQL would let pass: functions that do more than read.

A READ ONLY transaction lets a function lock, wait, number, notify, or call somebody else. They are
known by their names, in the query and in its plan, which has what views and simple functions mean;
what another function does inside is not seen.
"""

import re

_DOING_MORE = re.compile(
    r"""
    (?<![\w$])
    ( pg_(?:try_)?advisory_\w+ | pg_sleep\w* | set_config
    | nextval | setval | lo_\w+ | lowrite
    | dblink\w* | pg_notify | pg_export_snapshot
    | (?:query|cursor|table|schema|database)_to_xml\w* | ts_stat  # they make a query of a text
    | pg_(?:terminate|cancel)_backend | pg_reload_conf | pg_rotate_logfile\w* | pg_promote
    | pg_switch_\w+ | pg_wal_replay_\w+ | pg_create_\w+ | pg_drop_\w+ | pg_copy_\w+_slot
    | pg_replication_\w+ | pg_logical_\w+ | pg_sync_\w+ | pg_stat_\w*reset\w*
    | pg_(?:start_backup|stop_backup|backup_start|backup_stop)
    | pg_file_\w+ | pg_read_file\w* | pg_read_binary_file | pg_ls_\w+ | pg_log_\w+
    )
    \s*\(
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TOKENS = r"""
      (?<![\w$])[eE]'(?:[^'\\]|\\.|'')*'
    | '(?:[^']|'')*'
    | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
    | --[^\n]*
    | (?P<comment>/\*)
    """
_TOKEN = re.compile(_TOKENS, re.VERBOSE | re.DOTALL)
QUOTED = re.compile(_TOKENS + r'| "(?:[^"]|"")*"', re.VERBOSE | re.DOTALL)
"""What is between quotes, and where comments begin."""
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def objection(text: str) -> str | None:
    """Why a query, or its plan, cannot be used, though it is one SELECT; None if it can."""
    bare = _without_texts(text)
    if re.search(r'(?<![\w$])U&"', bare, re.IGNORECASE):
        return 'it has a name in U&"..."; write the name itself'
    if found := _DOING_MORE.search(bare.replace('"', "")):
        return f"{found[1].lower()}() does more than read; leave it out"
    return None


def _without_texts(text: str) -> str:
    """The text without comments, and without what is between quotes; names stay."""
    pieces, at = [], 0
    while found := _TOKEN.search(text, at):
        pieces.append(text[at : found.start()])
        at = end_of_comment(text, found.end()) if found["comment"] else found.end()
    return " ".join([*pieces, text[at:]])


def end_of_comment(text: str, at: int) -> int:
    """Where a comment ends whose inside begins at `at`; comments hold comments."""
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(text, at)):
        depth += 1 if edge[0] == "/*" else -1
        at = edge.end()
    return at if depth == 0 else len(text)
