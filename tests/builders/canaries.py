"""Canaries: secrets and personal data of every kind, each of its own, and the forms they take."""

import base64
import random
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

import numpy as np

from engine.redaction.numbers import is_luhn

# Bytes that are compared at once; every form of a canary is longer.
_WINDOW = 8
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A secret, what somebody says who lets it slip, and by which entrance it comes in."""

    secret: str
    said: str
    kind: str
    entrance: str


class Aviary:
    """Makes canaries, no two of them alike, and remembers them."""

    def __init__(self, seed: int = 1) -> None:
        self.canaries: list[Canary] = []
        self._random = random.Random(seed)  # noqa: S311 - the same secrets in each run

    def of_every_kind(self, entrance: str) -> list[str]:
        """What is said there: one canary of every kind."""
        return [self.new(kind, entrance).said for kind in KINDS]

    def new(self, kind: str, entrance: str) -> Canary:
        """A canary of this kind."""
        secret = KINDS[kind][0](self)
        said = KINDS[kind][1].format(secret)
        canary = Canary(secret=secret, said=said, kind=kind, entrance=entrance)
        self.canaries.append(canary)
        return canary

    def number(self, entrance: str) -> Canary:
        """A number that nobody knows for a secret but by its name."""
        digits = "9" + self.digits(11)
        canary = Canary(secret=digits, said=digits, kind="number", entrance=entrance)
        self.canaries.append(canary)
        return canary

    def word(self) -> str:
        """Letters and digits that nothing else has."""
        return "c4" + "".join(self._random.choices(_LETTERS, k=14))

    def digits(self, count: int) -> str:
        """So many random digits."""
        return "".join(self._random.choices(string.digits, k=count))


def _card(aviary: Aviary) -> str:
    return _checked("4" + aviary.digits(14))


def _national(aviary: Aviary) -> str:
    return _checked("1" + aviary.digits(8))


def _checked(digits: str) -> str:
    return next(digits + last for last in string.digits if is_luhn(digits + last))


def _iban(aviary: Aviary) -> str:
    account = "80" + aviary.digits(18)
    return f"SA{98 - int(f'{account}281000') % 97:02}{account}"


def _mobile(aviary: Aviary) -> str:
    return "05" + aviary.digits(8)


def _abroad(aviary: Aviary) -> str:
    digits = aviary.digits(7)
    return f"+966 55 {digits[:3]} {digits[3:]}"


def _in_fours(number: Callable[[Aviary], str]) -> Callable[[Aviary], str]:
    def spaced(aviary: Aviary) -> str:
        whole = number(aviary)
        return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))

    return spaced


def _mail(aviary: Aviary) -> str:
    return f"{aviary.word()}@mail.example"


def _jwt(aviary: Aviary) -> str:
    return f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOi{aviary.word()}.{aviary.word()}"


def _basic(aviary: Aviary) -> str:
    return base64.b64encode(f"me:{aviary.word()}".encode()).decode()


KINDS: Mapping[str, tuple[Callable[[Aviary], str], str]] = {
    "password": (Aviary.word, "password={}"),
    "token": (Aviary.word, '{{"token": "{}", "x": 1}}'),
    "otp": (Aviary.word, "{{'otp': '{}'}}"),
    "secret": (Aviary.word, "client-secret: {}"),
    "pin": (Aviary.word, "cardPin='{}'"),
    "cvv": (Aviary.word, "GET https://shop.example/pay?cvv={}&amount=1"),
    "api key": (Aviary.word, "X-Api-Key: {}"),
    "key of two words": (Aviary.word, "the API key: {}"),
    "quoted header": (Aviary.word, r"'GET /\r\nAuthorization: Token {}'"),
    "spoken token": (Aviary.word, "no such token {}"),
    "row": (Aviary.word, "INSERT INTO users (id, token) VALUES (1, '{}')"),
    "element": (Aviary.word, "<Password>{}</Password>"),
    "authorization": (Aviary.word, "Authorization: Token {}"),
    "bearer": (Aviary.word, "sent Bearer {}"),
    "basic": (_basic, "sent Basic {}"),
    "jwt": (_jwt, "got {}"),
    "live key": (Aviary.word, "with sk_live_{}"),
    "card": (_card, "of {}"),
    "spaced card": (_in_fours(_card), "of {}"),
    "quoted card": (_card, r"'a\n{}'"),
    "iban": (_iban, "to {}"),
    "spaced iban": (_in_fours(_iban), "to {}"),
    "national id": (_national, "of {}"),
    "mobile": (_mobile, "call {}"),
    "abroad": (_abroad, "call {}"),
    "e-mail": (_mail, "to {}"),
    "url": (Aviary.word, "postgresql://me:{}@db.example/x"),
}


def forms_of(secret: str) -> Iterator[bytes]:
    """How files and databases may hold it: in other encodings, and in texts of other languages."""
    texts = {secret, secret.replace(" ", ""), quote(secret, safe=""), quote_plus(secret)}
    for text in texts:
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text.encode("utf-16-be")
        yield text.encode().hex().encode()
    for at in range(3):
        # What stands before it decides how base64 spells it; its ends are its neighbours' too.
        data = base64.b64encode(b"\0" * at + secret.encode())
        skipped, cut = (4, -4) if at else (0, -4)
        for each in (data, base64.urlsafe_b64encode(b"\0" * at + secret.encode())):
            yield each[skipped:cut]


class Search:
    """Looks for canaries in any form, for all of them at once."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._forms: dict[int, list[tuple[bytes, Canary]]] = {}
        for canary in canaries:
            for form in set(forms_of(canary.secret)):
                begins = int.from_bytes(form[:_WINDOW], "little")
                self._forms.setdefault(begins, []).append((form, canary))
        begins_so = np.array([*self._forms], dtype=np.uint64)
        # Most windows begin like none of them.
        self._may_be = np.zeros(1 << 16, dtype=bool)
        self._may_be[begins_so & np.uint64(0xFFFF)] = True

    def found_in(self, data: bytes) -> list[Canary]:
        """Those that are in the data, each once."""
        found: dict[Canary, None] = {}
        for place, begins in self._candidates(data):
            for form, canary in self._forms[begins]:
                if data.startswith(form, place):
                    found[canary] = None
        return [*found]

    def _candidates(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where something begins like one of them, and how."""
        for at in range(min(_WINDOW, len(data) - _WINDOW + 1)):
            count = (len(data) - at) // _WINDOW
            windows = np.frombuffer(data, dtype="<u8", count=count, offset=at)
            places = np.flatnonzero(self._may_be[windows & np.uint64(0xFFFF)])
            for place, begins in zip(places.tolist(), windows[places].tolist(), strict=True):
                if begins in self._forms:
                    yield at + place * _WINDOW, begins
