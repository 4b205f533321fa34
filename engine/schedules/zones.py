"""Time zones by their IANA names, and the instant at which a wall clock shows a time."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from engine.documents.closest import closest

# In the folder of the zones, but not among the names of IANA: they depend on the machine.
_NOT_ZONES = ("localtime", "posixrules", "Factory", "posix/", "right/")


@lru_cache(maxsize=256)
def zone_named(name: str) -> ZoneInfo:
    """The zone of an IANA name such as Asia/Riyadh; ValueError with the closest one otherwise."""
    try:
        if name.startswith(_NOT_ZONES) or not name:
            raise ZoneInfoNotFoundError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = _closest_zone(name)
        hint = f"did you mean {near!r}?" if near else "write it like Asia/Riyadh"
        raise ValueError(f"no time zone is named {name[:60]!r}; {hint}") from None


def _closest_zone(name: str) -> str | None:
    zones = {zone for zone in available_timezones() if not zone.startswith(_NOT_ZONES)}
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(zones, reverse=True)}
    if (near := closest(name, zones)) is not None:
        return near
    city = closest(name.rpartition("/")[2].replace(" ", "_"), cities)
    return cities[city] if city else None


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant at which clocks in `zone` show `wall`.

    A time that comes twice is its first coming; one that is skipped is the instant of the skip,
    the next that exists.
    """
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return instant
    # PEP 495: in a gap, fold=1 reads the clock as after the change, which is an instant before it.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset = before.astimezone(zone).utcoffset()
    while instant - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(instant - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            instant = middle
    return instant.replace(microsecond=0)
