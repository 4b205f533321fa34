"""Events at rest: each is raised once, however many processes see what it is about."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, exists, func, literal, select

from engine.events import REVIEW_KEY, Event, EventKind, run_in_review
from engine.states import RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.tables import events, runs
from engine.store.upsert import upsert

logger = logging.getLogger("engine.events")
# A command says on its own what it found; without a handler, Python would say it too.
logger.addHandler(logging.NullHandler())

_ERROR_LENGTH = 500


@dataclass(frozen=True, kw_only=True)
class RaisedEvent(Event):
    """An event in the ledger."""

    id: int
    raised_at: datetime


class EventStore:
    """The events of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def raise_once(self, event: Event) -> RaisedEvent | None:
        """Write the event down and log it; None if its key was raised before."""
        row = {
            "kind": event.kind,
            "subject": event.subject,
            "key": event.key,
            "facts": dict(event.facts),
            "raised_at": database_now(),
        }
        with self.database.begin() as connection:
            new = upsert(connection, events).values(row).on_conflict_do_nothing()
            found = connection.execute(new.returning(*events.c)).mappings().one_or_none()
        if found is None:
            return None
        level = logging.WARNING if event.kind.is_trouble else logging.INFO
        logger.log(level, "%s", event.text, extra={"event": event.kind, **event.facts})
        return RaisedEvent(**dict(found) | {"kind": event.kind})

    def was_raised(self, key: str) -> bool:
        """Whether there is an event of this key."""
        with self.database.read() as connection:
            return bool(connection.execute(select(exists().where(events.c.key == key))).scalar())

    def newest(
        self,
        *,
        kinds: Collection[EventKind] = (),
        subject: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> Sequence[RaisedEvent]:
        """The newest events first."""
        # A newer version may have raised kinds that this one has no words for.
        known = events.c.kind.in_(kinds or list(EventKind))
        query = select(events).where(known).order_by(events.c.id.desc()).limit(limit)
        if subject is not None:
            query = query.where(events.c.subject == subject)
        if since is not None:
            query = query.where(events.c.raised_at >= since)
        with self.database.read() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [RaisedEvent(**row | {"kind": EventKind(row["kind"])}) for row in rows]

    def counts(self) -> Mapping[str, int]:
        """How many events of each kind were ever raised."""
        query = select(events.c.kind, func.count()).group_by(events.c.kind)
        with self.database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def unheard_reviews(self, *, limit: int = 100) -> Sequence[Event]:
        """Events to be raised about runs that wait for a person's decision, the oldest first."""
        c = runs.c
        key = literal(REVIEW_KEY) + cast(c.id, Text) + ":" + cast(c.attempt, Text)
        told = exists().where(events.c.key == key)
        query = (
            select(c.id, c.attempt, c.reference, c.job, c.queue, c.error_type, c.error_message)
            .where(c.state == RunState.FAILED, c.review == "required", ~told)
            .order_by(c.id)
            .limit(limit)
        )
        with self.database.read() as connection:
            return [
                run_in_review(
                    run_id=row.id,
                    attempt=row.attempt,
                    reference=row.reference,
                    job=row.job,
                    queue=row.queue,
                    error_type=row.error_type or "",
                    error=f"{row.error_type}: {row.error_message}"[:_ERROR_LENGTH],
                )
                for row in connection.execute(query)
            ]
