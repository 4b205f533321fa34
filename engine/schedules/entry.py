"""The shape of schedules.yaml, for pydantic: what may be said, and in which words."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StrictBool, StrictInt

from engine.job import QUEUE_NAME
from engine.limits import PRIORITIES, PRIORITY_BOUNDS
from engine.schedules.cron import CronTrigger, checked_cron
from engine.schedules.durations import duration
from engine.schedules.interval import EPOCH, IntervalTrigger
from engine.schedules.period import PeriodKind
from engine.schedules.schedule import Missed, Overlap
from engine.schedules.triggers import Trigger
from engine.schedules.zones import instant_of, zone_named


def _number_as_text(value: Any) -> Any:
    # `every: 15` is text that lacks its unit, and is told so, rather than "must be text".
    return str(value) if isinstance(value, int | Decimal) else value


def _length(text: str) -> str:
    duration(text)
    return text


def _zone(name: str) -> str:
    return zone_named(name).key


def _start(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        example = "2026-01-31T06:30:00"
        raise ValueError(f"must be a date and time like {example}, not {text!r}") from None
    return text


def _queue(name: str) -> str:
    if not QUEUE_NAME.fullmatch(name):
        raise ValueError(f"a queue's name is lower-case letters, digits and '_', not {name!r}")
    return name


def _priority(number: int) -> int:
    if number not in PRIORITIES:
        raise ValueError(f"must be a whole number {PRIORITY_BOUNDS}, not {number}")
    return number


Length = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_length)]
ZoneName = Annotated[str, AfterValidator(_zone)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


REPORT_JOB = "report"
"""The job that makes the report of an entry that names one."""


class MissedEntry(Strict):
    """What becomes of firings that passed while no scheduler ran."""

    policy: Missed = "latest"
    within: Length | None = None


class ScheduleEntry(Strict):
    """One schedule, as written: of a job, or of a report, which a job of that name makes."""

    job: str | None = None
    report: str | None = None
    formats: list[str] | None = None
    locales: list[str] | None = None
    params: dict[str, Any] = {}
    cron: Annotated[str, AfterValidator(checked_cron)] | None = None
    every: Length | None = None
    start: Annotated[str, AfterValidator(_start)] | None = None
    timezone: ZoneName | None = None
    enabled: StrictBool = True
    queue: Annotated[str, AfterValidator(_queue)] | None = None
    overlap: Overlap = "skip"
    missed: Missed | MissedEntry = MissedEntry()
    priority: Annotated[StrictInt, AfterValidator(_priority)] | None = None
    period: PeriodKind | None = None

    @property
    def work(self) -> tuple[str, dict[str, Any]]:
        """The job that it runs, and with which parameters."""
        if self.report is None or self.job is not None:
            return self.job or "", self.params
        chosen = {"formats": self.formats, "locales": self.locales, "params": self.params}
        given = {name: value for name, value in chosen.items() if value}
        return REPORT_JOB, {"name": self.report, **given}

    def zone(self, default: ZoneInfo) -> ZoneInfo:
        """The zone it names, or the file's."""
        return zone_named(self.timezone) if self.timezone else default

    def trigger(self, zone: ZoneInfo) -> Trigger:
        """When it fires; `cron` or `every` must be there."""
        if self.cron is not None:
            return CronTrigger(self.cron, zone)
        start = EPOCH
        if self.start is not None:
            start = datetime.fromisoformat(self.start)
            start = start.astimezone(UTC) if start.tzinfo else instant_of(start, zone)
        return IntervalTrigger(duration(self.every or ""), start)


class SchedulesFile(Strict):
    """The whole file."""

    timezone: ZoneName = "UTC"
    schedules: dict[str, ScheduleEntry]
