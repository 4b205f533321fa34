"""What an unquoted word of YAML stands for: the core schema of YAML 1.2.

`yes`, `no`, `on`, `017.5.1` and `12:30` are text, as YAML 1.2 has it; so are dates, for whoever
knows the zone to read. A number with a point is an exact `Decimal`, never a float: it may be money.
"""

import re
from decimal import Decimal

Scalar = str | int | bool | Decimal | None

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NUMBER_STARTS = frozenset("+-.0123456789")
LONGEST_NUMBER = 100


def resolve(text: str) -> Scalar:
    """The value of a plain scalar; ValueError for a number nobody can have meant."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    if _INTEGER.fullmatch(text):
        return int(_short(text))
    if _OCTAL.fullmatch(text):
        return int(_short(text[2:]), 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(_short(text[2:]), 16)
    if _DECIMAL.fullmatch(text):
        number = Decimal(_short(text))
        # 1e999999999 is ten characters here, and a billion digits for whoever makes it an integer.
        if number and abs(number.adjusted()) > LONGEST_NUMBER:
            raise ValueError(f"a number with an exponent over {LONGEST_NUMBER}")
        return number
    return text


def _short(digits: str) -> str:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"a number of more than {LONGEST_NUMBER} digits; if it is text, quote it")
    return digits
