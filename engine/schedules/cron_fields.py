"""The grammar of a cron expression: five fields, each a list of values, ranges and steps.

Checked here rather than by cronsim, which says only "bad minute" and takes steps that never step.
"""

import re
from dataclasses import dataclass

FIVE = "minute hour day month weekday"
_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True)
class CronField:
    """One of the five: its values, and the names some of them have."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def check(self, text: str) -> None:
        """ValueError, naming the field and the term, if `text` cannot be understood."""
        for term in text.split(","):
            try:
                self._term(term.upper())
            except ValueError as error:
                raise ValueError(f"the {self.name} {term!r}: {error}") from None

    def _term(self, term: str) -> None:
        if not term:
            raise ValueError("a value is missing beside a comma")
        if "?" in term:
            raise ValueError("'?' is not known; write '*'")
        if "W" in term and term not in self.names and self.name in ("day", "weekday"):
            raise ValueError("'W' is not known, as weekends differ; list the weekdays")
        if self._special(term):
            return
        base, slash, step = term.partition("/")
        if slash and not step.isdecimal():
            raise ValueError("a step is a whole number after the '/'")
        if slash and not 1 <= int(step) <= self.high:
            raise ValueError(f"a step must be 1 to {self.high}; for other paces use 'every'")
        if base != "*":
            self._range(base)

    def _special(self, term: str) -> bool:
        if self.name == "day" and term == "L":
            return True
        if self.name != "weekday":
            return False
        if "#" in term:
            day, _, nth = term.partition("#")
            self._value(day)
            if nth not in ("1", "2", "3", "4", "5"):
                raise ValueError("after '#' comes 1 to 5, as in sun#2 for the second Sunday")
            return True
        if term.endswith("L"):
            if term == "L":
                raise ValueError("write the weekday before it, as in 5L for the last Friday")
            self._value(term[:-1])
            return True
        return False

    def _range(self, base: str) -> None:
        first, dash, last = base.partition("-")
        low = self._value(first)
        high = self._value(last) if dash else low
        if high < low:
            raise ValueError(f"the range runs backwards; write {self._forwards(first, last)}")

    def _forwards(self, first: str, last: str) -> str:
        """`sat-thu` as two ranges that run forwards: `sat,sun-thu`."""
        top, bottom = str(6 if self.name == "weekday" else self.high), str(self.low)
        if self.names and not (first + last).isdecimal():
            top, bottom = self.names[-1], self.names[0]
        ranges = ((first, top), (bottom, last))
        return ",".join(a if a == b else f"{a}-{b}" for a, b in ranges).lower()

    def _value(self, text: str) -> int:
        if text in self.names:
            return self.low + self.names.index(text)
        if not re.fullmatch("[0-9]{1,2}", text) or not self.low <= int(text) <= self.high:
            named = f" or {self.names[0].lower()} to {self.names[-1].lower()}" if self.names else ""
            raise ValueError(f"values are {self.low} to {self.high}{named}")
        return int(text)


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

FIELDS = (
    CronField("minute", 0, 59),
    CronField("hour", 0, 23),
    CronField("day", 1, 31),
    CronField("month", 1, 12, _MONTHS),
    CronField("weekday", 0, 7, _WEEKDAYS),
)


def normalised(text: str) -> str:
    """The expression in upper case with single spaces; ValueError with the fix if it is none."""
    parts = text.split()
    if parts and parts[0].startswith("@"):
        word = parts[0].lower()
        if word in _WORDS:
            raise ValueError(f"{word} is not known; write '{_WORDS[word]}'")
        raise ValueError(f"{word[:20]} is not known; write five fields ({FIVE}), or use 'every'")
    if len(parts) == 6:
        raise ValueError(
            f"six fields, but exactly five are due ({FIVE}); a cron has no seconds, "
            "for those use 'every', as in every: 30s"
        )
    if len(parts) != 5:
        count = f"{len(parts)} field{'s' if len(parts) != 1 else ''}"
        raise ValueError(f"{count}, but exactly five are due: {FIVE}")
    for field, part in zip(FIELDS, parts, strict=True):
        field.check(part)
    return " ".join(parts).upper()
