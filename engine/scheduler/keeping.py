"""Keeping: versions of schedules as the ledger has them, without the secrets of their params."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import Invalid
from engine.hiding import Hiding
from engine.job import Job
from engine.schedules.schedule import Schedule
from engine.schedules.stored import (
    UnreadableSchedule,
    schedule_from_json,
    schedule_to_json,
    version_of,
)
from engine.schedules.triggers import fingerprint_of
from engine.sealing import Sealer
from engine.store.schedule_marks import PURPOSE, SEALED, context_of


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Makes JSON-ready data of schedules, and schedules of that again.

    What `hiding` hides of their params is sealed; every method raises MissingKey if it must be,
    and there is no key.
    """

    jobs: Mapping[str, Job]
    hiding: Hiding

    def to_json(self, schedule: Schedule) -> dict[str, Any]:
        """All that the schedule says but its name."""
        data, hidden = self._parted(schedule)
        if hidden:
            sealer = Sealer(self.hiding.keys(), PURPOSE)
            data[SEALED] = sealer.seal(json.dumps(hidden), context_of(schedule.name))
        return data

    def from_json(self, name: str, data: Mapping[str, Any]) -> Schedule:
        """Back from JSON-ready data; raises UnreadableSchedule."""
        plain = dict(data)
        sealed = plain.pop(SEALED, None)
        if sealed is not None:
            try:
                text = Sealer(self.hiding.keys(), PURPOSE).open(sealed, context_of(name))
            except Invalid as error:
                raise UnreadableSchedule(name=name, error=str(error)) from error
            plain["params"] = {**plain["params"], **json.loads(text)}
        return schedule_from_json(name, plain)

    def version_of(self, schedule: Schedule) -> str:
        """A hash of all that the schedule says; without the key nothing can be told from it."""
        data, hidden = self._parted(schedule)
        if not hidden:
            return version_of(schedule)
        key = self.hiding.keys().mac_key("versions of schedules")
        text = json.dumps([data, hidden], sort_keys=True)
        return fingerprint_of(hmac.new(key, text.encode(), hashlib.sha256).hexdigest())

    def _parted(self, schedule: Schedule) -> tuple[dict[str, Any], dict[str, Any]]:
        data = schedule_to_json(schedule)
        job = self.jobs.get(schedule.job)
        if job is None:
            return data, {}
        shown, hidden = self.hiding.parted(job, data["params"])
        return data | {"params": shown}, hidden
