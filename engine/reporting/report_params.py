"""A report's params: what was given and what is left to defaults, as values for its queries."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from engine.documents.closest import suggestion
from engine.errors import Invalid
from engine.reporting.definition import Dataset, Param, ReportDefinition
from engine.reporting.period import ReportPeriod, between
from engine.reporting.placeholders import placeholders
from engine.schedules.tokens import fill
from engine.schedules.zones import instant_of
from engine.sources.parameters import Parameter

_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_START, _END = "${period.start}", "${period.end}"
_LEAST, _LARGEST = -(2**63), 2**63 - 1
# What tokens become where a value is only looked at.
_SAMPLE = {
    "period.start": "2026-01-31T00:00:00+03:00",
    "period.end": "2026-02-01T00:00:00+03:00",
}


class WrongReportParams(Invalid):
    """A report cannot be run with these params."""

    message = "report {report}: {text}"


def value_of(param: Param, raw: Any, zone: ZoneInfo) -> Any:
    """A value as given, in a file or as text, as the param's type; ValueError if it is none."""
    value = _typed(param, raw, zone)
    if param.choices:
        allowed = [_typed(param, each, zone) for each in param.choices]
        if value not in allowed:
            known = ", ".join(str(each) for each in param.choices)
            raise ValueError(f"{raw!r} is none of the choices: {known}")
    return value


def wrong_in(definition: ReportDefinition, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with what was given, each by the name of its param."""
    zone = ZoneInfo(definition.timezone)
    for name, raw in given.items():
        param = definition.params.get(name)
        if param is None:
            hint = suggestion(name, definition.params)
            yield name, f"the report {definition.name} has no param {name!r}; {hint}"
            continue
        if raw is None:
            continue
        try:
            value_of(param, fill(raw, _SAMPLE), zone)
        except ValueError as error:
            yield name, str(error)
    for name, param in definition.params.items():
        if param.required and given.get(name) is None:
            yield name, f"the report {definition.name} needs the param {name!r} ({param.type})"


def values_of(
    definition: ReportDefinition, given: Mapping[str, Any], period: ReportPeriod | None
) -> Mapping[str, Any]:
    """Every param with its value, None where there is none; raises WrongReportParams."""
    if problems := list(wrong_in(definition, given)):
        text = "; ".join(f"{name}: {message}" for name, message in problems)
        raise WrongReportParams(report=definition.name, text=text)
    zone, facts = ZoneInfo(definition.timezone), period.facts if period else {}
    values: dict[str, Any] = {}
    for name, param in definition.params.items():
        raw = given.get(name)
        raw = param.default if raw is None else raw
        values[name] = None if raw is None else value_of(param, fill(raw, facts), zone)
    return values


def period_of(
    definition: ReportDefinition, values: Mapping[str, Any], period: ReportPeriod | None
) -> ReportPeriod | None:
    """What the report is about once somebody chose another start or end than the period's.

    Raises WrongReportParams where it would end before it begins.
    """
    zone = ZoneInfo(definition.timezone)
    chosen = {token: _instant(values[name], zone) for token, name in _ends_of(definition).items()}
    ends = [chosen[token] for token in (_START, _END) if token in chosen]
    if period is None or len(ends) != 2:
        return period
    if ends[0] >= ends[1]:
        text = _turned_around(ends[0], ends[1], zone)
        raise WrongReportParams(report=definition.name, text=text)
    return between(ends[0], ends[1], zone)


def wrong_ends(
    definition: ReportDefinition, given: Mapping[str, Any], period: ReportPeriod | None
) -> Iterator[tuple[str, str]]:
    """An end that is not after its start, as far as what was given tells by itself.

    `period` is the one that was given, if its days are known. Params are sound by `wrong_in`.
    """
    names = _ends_of(definition)
    raws = [given.get(names[token]) if token in names else None for token in (_START, _END)]
    tokens = [any(sample in str(raw) for sample in _SAMPLE.values()) for raw in raws]
    if len(names) != 2 or raws == [None, None] or (None not in raws and tokens[0] != tokens[1]):
        return
    if None in raws and (period is None or any(tokens)):
        return
    zone = ZoneInfo(definition.timezone)
    facts = period.facts if period else {}
    start, end = (
        _instant(value_of(definition.params[names[token]], fill(raw or token, facts), zone), zone)
        for token, raw in zip((_START, _END), raws, strict=True)
    )
    if start >= end:
        yield names[_START if raws[1] is None else _END], _turned_around(start, end, zone)


def _ends_of(definition: ReportDefinition) -> Mapping[str, str]:
    """The params that say where the period begins and where it ends: the first of each."""
    return {
        str(param.default): name
        for name, param in reversed([*definition.params.items()])
        if param.default in (_START, _END) and param.type in ("date", "datetime")
    }


def _turned_around(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    begins, ends = start.astimezone(zone), end.astimezone(zone)
    return f"its period begins at {begins} and ends at {ends}, which is not after it"


def bound(
    definition: ReportDefinition, dataset: Dataset, values: Mapping[str, Any]
) -> Mapping[str, Parameter]:
    """What the query of one dataset names, with its type; values that are not there are NULL."""
    return {
        name: Parameter(definition.params[name].type, values.get(name))
        for name in placeholders(dataset.query)
        if name in definition.params
    }


def _typed(param: Param, raw: Any, zone: ZoneInfo) -> Any:
    try:
        return _READERS[param.type](raw, zone)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise ValueError(f"must be {_WORDS[param.type]}, not {raw!r}") from None


def _text(raw: Any, _: ZoneInfo) -> str:
    if not isinstance(raw, str) or "\0" in raw:
        raise TypeError
    return raw


def _integer(raw: Any, _: ZoneInfo) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        raise TypeError
    number = int(raw)
    if not _LEAST <= number <= _LARGEST:
        raise OverflowError
    return number


def _boolean(raw: Any, _: ZoneInfo) -> bool:
    return raw if isinstance(raw, bool) else _FLAGS[str(raw).lower()]


def _date(raw: Any, zone: ZoneInfo) -> date:
    if isinstance(raw, str) and len(raw) == len("2026-01-31"):
        return date.fromisoformat(raw)
    return _datetime(raw, zone).astimezone(zone).date()


def _datetime(raw: Any, zone: ZoneInfo) -> datetime:
    instant = datetime.fromisoformat(raw)
    if instant.tzinfo is None:
        return instant_of(instant, zone).astimezone(UTC)
    return instant.astimezone(UTC)


def _instant(value: date | datetime, zone: ZoneInfo) -> datetime:
    if isinstance(value, datetime):
        return value
    return instant_of(datetime.combine(value, time()), zone)


_READERS = {
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}
_WORDS = {
    "text": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "date": "a date (2026-01-31)",
    "datetime": "a date and time (2026-01-31T18:00:00+03:00), or a date",
}
