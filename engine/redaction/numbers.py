"""Numbers of cards, of people and of their telephones, told from others by their checksums."""

import re

from engine.redaction.edges import BEGINS, ENDS
from engine.redaction.names import is_identifier_name

# Digits of Arabic and Persian, as those of the same places in ASCII.
_EASTERN = re.compile("[\u0660-\u0669\u06f0-\u06f9]")
_PLAIN_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "0123456789" * 2)
# Every digit alike, so that ten of them are found at the speed of bytes.
_ALIKE = bytes(48 if 48 <= each < 58 else each for each in range(256))
_SHORTEST = b"0" * 10
_GAP = r"[ .\-\u00a0]"
_GAPS = r"[ .\-\u00a0()]{0,2}"
# Enough digits for any of them.
_RUN = re.compile(rf"[0-9](?:{_GAPS}[0-9]){{9,}}")
_CARD = re.compile(
    rf"{BEGINS}(?:\d{{13,19}}"
    rf"|\d{{4}}(?P<gap>{_GAP})\d{{4}}(?P=gap)\d{{4}}(?P=gap)\d{{1,7}}(?:(?P=gap)\d{{1,3}})?"
    rf"|\d{{4}}(?P<amex>{_GAP})\d{{6}}(?P=amex)\d{{4,5}}){ENDS}"
)
# Cards of people; other numbers of their length are not looked at.
_ISSUER = re.compile(r"4|5[0-8]|2[2-7]|3[04-9]|6|9682|9792")
_PERSON = re.compile(rf"{BEGINS}[12]\d{{9}}{ENDS}(?!\.\d)")
_ABROAD = re.compile(
    rf"{BEGINS}(?:(?:(?<=\+)|00)966{_GAPS}(?:0{_GAPS})?[1-9]|966{_GAPS}(?:0{_GAPS})?5)"
    rf"(?:{_GAPS}\d){{8}}{ENDS}"
)
_MOBILE = re.compile(rf"{BEGINS}05(?:{_GAPS}\d){{8}}{ENDS}")
# What a number, or a list of numbers, stands beside: a name, or two words.
_BESIDE = re.compile(r"(?:([^\W\d][\w-]*)\s+)?([^\W\d][\w-]*)\W{0,5}(?:\w+['\"]?[,;]\W{1,3})*$")
_LOOKED_BACK = 60
# Of a wallet number the wallet says what it is.
_FILLERS = frozenset({"number", "numbers", "no", "nr", "num", "of", "is", "was", "with", "for"})


def has_long_number(text: str) -> bool:
    """Whether there are ten digits in a row, or with signs between them: else there is none."""
    if not text.isascii():
        text = _with_plain_digits(text)
    if text[10:11] == " " and text[4:5] == "-" == text[7:8]:
        # Many a line begins with its date, which the hour follows.
        text = text[10:]
    data = text.encode(errors="replace")
    return _SHORTEST in data.translate(_ALIKE, b" .-()\xc2\xa0")


def hidden_numbers(text: str, *, is_identifier: bool = False) -> str:
    """The text with *** for numbers of cards, national ids and telephones.

    A number beside a word such as wallet, entry or amount is none of them; with `is_identifier`
    neither is one that may as well be the id of something.
    """
    parts, end = [], 0
    plain = text if text.isascii() else _with_plain_digits(text)
    for run in _RUN.finditer(plain):
        for start, stop in _found(plain, *run.span(), is_identifier):
            parts += [text[end:start], "***"]
            end = stop
    return "".join([*parts, text[end:]]) if parts else text


def is_luhn(digits: str) -> bool:
    """Whether the last digit is what Luhn makes of the others."""
    total = 0
    for place, letter in enumerate(reversed(digits)):
        digit = int(letter) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def _found(text: str, start: int, end: int, is_identifier: bool) -> list[tuple[int, int]]:
    """Where in the run from `start` to `end` such numbers are, in order, none within another."""
    spans: list[tuple[int, int]] = []
    for pattern in (_CARD, _ABROAD, _PERSON, _MOBILE):
        at = start
        # What follows the run decides whether its last number ends there.
        while (found := pattern.search(text, at, end + 2)) is not None:
            if _is_one(pattern, found, is_identifier):
                spans.append(found.span())
                at = found.end()
            else:
                # Another may begin within it: the last group of one number, the first of the next.
                at = found.start() + 1
    return _apart(spans)


def _is_one(pattern: re.Pattern[str], found: re.Match[str], is_identifier: bool) -> bool:
    number = found[0]
    if pattern is _ABROAD and (number.startswith("00") or found.string[found.start() - 1] == "+"):
        return True
    if pattern is _CARD and not _is_card(number):
        return False
    if pattern is _PERSON and not is_luhn(number):
        return False
    if pattern is not _CARD and is_identifier:
        return False
    # One in groups is a card whatever it is called.
    return (pattern is _CARD and not number.isdigit()) or not _is_ours(found.string, found.start())


def _is_card(number: str) -> bool:
    digits = "".join(str(int(letter)) for letter in number if letter.isdigit())
    return 13 <= len(digits) <= 19 and bool(_ISSUER.match(digits)) and is_luhn(digits)


def _is_ours(text: str, start: int) -> bool:
    beside = _BESIDE.search(text[max(0, start - _LOOKED_BACK) : start])
    if beside is None:
        return False
    before, word = beside[1] or "", beside[2]
    both = f"{before}_{word}"
    return is_identifier_name(both) and (word in _FILLERS or is_identifier_name(word))


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    apart: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart


def _with_plain_digits(text: str) -> str:
    return text.translate(_PLAIN_DIGITS) if _EASTERN.search(text) else text
