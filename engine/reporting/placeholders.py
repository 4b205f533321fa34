"""The `:names` in a query that params stand for."""

import re

# Texts, quoted names, comments and `::casts` are passed over; what is left of a ':' is a name.
_PARTS = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|::|:([A-Za-z_]\w*)", re.DOTALL
)


def placeholders(query: str) -> list[str]:
    """The names, each once, in the order in which they come."""
    found = (part[1] for part in _PARTS.finditer(query) if part[1])
    return list(dict.fromkeys(found))
