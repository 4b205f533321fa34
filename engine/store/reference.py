"""A run's reference: what job, which day, and five letters; easy to read out on the telephone."""

import re
import secrets
from datetime import datetime

# Crockford's base 32: no I, L, O or U, so that nothing is misheard or misread.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WORD = re.compile(r"[a-z][a-z0-9]*")
_CONSONANT = re.compile(r"[b-df-hj-np-tv-z0-9]")


def new_reference(job: str, booked_at: datetime) -> str:
    """Such as `RC-20261124-7K3F9`: of `reconcile`, booked on that day in UTC.

    Two of one day and job are alike once in 33 million times: whoever books asks for another then.
    """
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(5))
    return f"{_letters_of(job)}-{booked_at:%Y%m%d}-{letters}"


def _letters_of(job: str) -> str:
    """The first letters of its words; of a single word the first letter and the next consonant."""
    words = _WORD.findall(job.lower())
    if len(words) > 1:
        return f"{words[0][0]}{words[1][0]}".upper()
    word = words[0] if words else "x"
    next_one = _CONSONANT.search(word, 1)
    return f"{word[0]}{next_one[0] if next_one else 'x'}".upper()
