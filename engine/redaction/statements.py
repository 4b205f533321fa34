"""Statements: what databases and their drivers repeat of the rows that they refuse."""

import re

from engine.redaction.names import is_secret_name

# To the end of their line, for nobody knows which bracket of a value closes it.
_REFUSED_ROW = re.compile(r"(failing row contains )(\([^\n]*)", re.IGNORECASE)
_INSERT = re.compile(
    r"(insert\s+into\s+\S{1,200}\s*\((?P<names>[^()]{1,4000})\)\s*values\s*)(\([^\n]*)",
    re.IGNORECASE,
)
_PARAMETERS = re.compile(r"(\]\n\[parameters: )[\s\S]{0,20000}?\](?=\s*(?:$|\n|\())")
# Where a line of it comes alone, its statement came before, and nobody knows what each is.
_PARAMETERS_ALONE = re.compile(r"(\s*\[parameters: )[(\[].*\]?\s*")
_WORD = re.compile(r"\w{1,64}")


def hidden_rows(text: str) -> str:
    """The text with *** for values of columns that are secrets', and for those of unknown ones."""
    lowered = text.lower()
    if "row contains" in lowered:
        text = _REFUSED_ROW.sub(lambda found: found[1] + _emptied(found[2]), text)
    if "insert" in lowered:
        text = _INSERT.sub(lambda found: _if_secret(found, _emptied(found[3])), text)
    if "[parameters: " not in lowered:
        return text
    if "]\n[parameters: " in lowered:
        text = _PARAMETERS.sub(_parameters, text)
    alone = _PARAMETERS_ALONE.fullmatch(text)
    return f"{alone[1]}***]" if alone else text


def _parameters(found: re.Match[str]) -> str:
    statement = found.string[found.string.rfind("[SQL: ", 0, found.start()) : found.start()]
    tells = any(map(is_secret_name, _WORD.findall(statement)))
    return f"{found[1]}***]" if tells else found[0]


def _if_secret(found: re.Match[str], mask: str) -> str:
    tells = any(map(is_secret_name, _WORD.findall(found["names"])))
    return found[1] + mask if tells else found[0]


def _emptied(row: str) -> str:
    return "(***)" + row[len(row.rstrip("].; ")) :]
