"""A schedule as JSON-ready data, for where versions of it are kept; and back."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from engine.errors import EngineError
from engine.schedules.cron import CronTrigger
from engine.schedules.interval import IntervalTrigger
from engine.schedules.schedule import Schedule
from engine.schedules.triggers import Trigger, fingerprint_of
from engine.schedules.zones import zone_named

# Parameters may hold exact decimals, which JSON does not have.
_DECIMAL = "!decimal"

TRIGGERS: Mapping[str, Callable[[Mapping[str, Any]], Trigger]] = {
    "cron": CronTrigger.from_json,
    "every": IntervalTrigger.from_json,
}


class UnreadableSchedule(EngineError):
    """A version of a schedule was stored by a version of the engine that says more than this."""

    message = "the stored schedule {name!r} cannot be read by this version: {error}"


def schedule_to_json(schedule: Schedule) -> dict[str, Any]:
    """All that the schedule says but its name."""
    return {
        "job": schedule.job,
        "trigger": schedule.trigger.to_json(),
        "timezone": schedule.timezone.key,
        "queue": schedule.queue,
        "params": _encoded(schedule.params),
        "enabled": schedule.enabled,
        "overlap": schedule.overlap,
        "missed": schedule.missed,
        "within": None if schedule.within is None else schedule.within.total_seconds(),
        "period": schedule.period,
        # Unsaid, a version is the same as before there were priorities.
        **({} if schedule.priority is None else {"priority": schedule.priority}),
    }


def schedule_from_json(name: str, data: Mapping[str, Any]) -> Schedule:
    """Back from JSON-ready data; raises UnreadableSchedule."""
    try:
        trigger = data["trigger"]
        parsed = {
            "trigger": TRIGGERS[trigger["kind"]](trigger),
            "timezone": zone_named(data["timezone"]),
            "params": MappingProxyType(_decoded(data["params"])),
            "within": None if data["within"] is None else timedelta(seconds=data["within"]),
        }
        return Schedule(name=name, **{**data, **parsed})
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableSchedule(name=name, error=repr(error)) from error


def version_of(schedule: Schedule) -> str:
    """A hash of all that the schedule says: equal for the same version, wherever it was read."""
    return fingerprint_of(json.dumps(schedule_to_json(schedule), sort_keys=True))


def _encoded(value: Any) -> Any:
    match value:
        case Decimal():
            return {_DECIMAL: str(value)}
        case Mapping():
            return {key: _encoded(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_encoded(inner) for inner in value]
    return value


def _decoded(value: Any) -> Any:
    match value:
        case {"!decimal": str(text)}:
            return Decimal(text)
        case dict():
            return {key: _decoded(inner) for key, inner in value.items()}
        case list():
            return [_decoded(inner) for inner in value]
    return value
