"""A schedule: which job runs when, on what, and what becomes of firings that were missed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from engine.schedules.period import Period, PeriodKind, period_before
from engine.schedules.tokens import fill
from engine.schedules.triggers import Trigger

Overlap = Literal["skip", "queue", "allow"]
Missed = Literal["latest", "all", "skip"]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """One entry of schedules.yaml, checked. `params` may still hold tokens; `params_for` fills
    them. `within` bounds how old a missed firing may be to be made up for; None is no bound. The
    `priority` None is the job's.
    """

    name: str
    job: str
    trigger: Trigger
    timezone: ZoneInfo
    queue: str
    params: Mapping[str, Any]
    enabled: bool = True
    overlap: Overlap = "skip"
    missed: Missed = "latest"
    within: timedelta | None = None
    priority: int | None = None
    period: PeriodKind | None = None

    def period_for(self, scheduled_for: datetime) -> Period | None:
        """What a firing at `scheduled_for` reports on; None for a schedule without a period."""
        if self.period is None:
            return None
        return period_before(scheduled_for, self.period, self.timezone)

    def params_for(self, scheduled_for: datetime) -> dict[str, Any]:
        """The params of one firing: tokens filled, for `Job.validate` to take."""
        period = self.period_for(scheduled_for)
        facts = (
            {"period.start": period.start.isoformat(), "period.end": period.end.isoformat()}
            if period
            else {}
        )
        return {name: fill(value, facts) for name, value in self.params.items()}
