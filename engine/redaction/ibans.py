"""IBANs: told by their country's length and by their check digits."""

import re

from engine.redaction.edges import BEGINS

_START = re.compile(BEGINS + r"[A-Za-z]{2}[0-9]{2}(?=[ \u00a0-]?[A-Za-z0-9])")
_GAPS = " \u00a0-"
_COUNTRIES = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 "
    "DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 "
    "IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 "
    "MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 "
    "SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
_LENGTHS = {each[:2]: int(each[2:]) for each in _COUNTRIES.split()}


def hidden_ibans(text: str) -> str:
    """The text with *** for every IBAN, in one piece or in groups."""
    parts, end = [], 0
    for start in _START.finditer(text):
        stop = _end_of(text, start.start())
        if stop is not None and start.start() >= end:
            parts += [text[end : start.start()], "***"]
            end = stop
    return "".join([*parts, text[end:]]) if parts else text


def _end_of(text: str, start: int) -> int | None:
    """Where the IBAN that begins at `start` ends; None if none does."""
    length = _LENGTHS.get(text[start : start + 2].upper())
    if length is None:
        return None
    letters, at = "", start
    # There is at most one sign between two letters.
    for at in range(start, min(start + 2 * length, len(text))):
        letter = text[at]
        if letter.isascii() and letter.isalnum():
            letters += letter
            if len(letters) == length:
                break
        elif letter not in _GAPS or text[at - 1] in _GAPS:
            return None
    goes_on = text[at + 1 : at + 2].isalnum()
    return at + 1 if len(letters) == length and not goes_on and _is_right(letters) else None


def _is_right(letters: str) -> bool:
    turned = letters[4:] + letters[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1
