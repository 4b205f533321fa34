"""Statements that end the transaction that work is done in, or begin another one in its place."""

import re

# What may hold any of the words below and means nothing by it.
_ASIDE = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\$(\w*)\$.*?\$\1\$", re.DOTALL
)
_TO_SAVEPOINT = r"(?!\s+(?:(?:work|transaction)\s+)?to\b)"
_ENDS = re.compile(
    rf"\s*(?:(commit|end|abort|begin|start\s+transaction|prepare\s+transaction)\b"
    rf"|(rollback)\b{_TO_SAVEPOINT})",
    re.IGNORECASE,
)
# A function's body, or a trigger's, ends without ending a transaction.
_DEFINES = re.compile(r"\s*create\b.*\bbegin\b", re.IGNORECASE | re.DOTALL)


def ending(statement: str) -> str | None:
    """The word by which it ends the transaction it is sent in, in capitals; None if it does not."""
    plain = _ASIDE.sub(" ", statement)
    for each in [plain] if _DEFINES.match(plain) else plain.split(";"):
        if found := _ENDS.match(each):
            return " ".join(found.group(found.lastindex or 0).upper().split())
    return None
