"""How far each schedule's firings are booked."""

from datetime import datetime

from sqlalchemy import Connection, and_, case, select

from engine.store.tables import schedule_marks
from engine.store.turns import take_turn
from engine.store.upsert import upsert


def booked_until(
    connection: Connection, schedule: str, fingerprint: str, *, to_book: bool = False
) -> datetime | None:
    """The instant up to which this trigger's firings are booked; None for a new trigger.

    `to_book`: from here on, this write transaction is the only one that books this schedule.
    """
    if to_book:
        take_turn(connection, "schedule", schedule)
    c = schedule_marks.c
    query = select(c.booked_until).where(c.schedule == schedule, c.fingerprint == fingerprint)
    return connection.execute(query).scalar_one_or_none()


def mark(connection: Connection, schedule: str, fingerprint: str, until: datetime) -> None:
    """Every firing up to `until` is booked, or is nobody's. A trigger's mark never moves back."""
    c = schedule_marks.c
    new = upsert(connection, schedule_marks).values(
        schedule=schedule, fingerprint=fingerprint, booked_until=until
    )
    further = and_(c.fingerprint == fingerprint, c.booked_until > until)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["schedule"],
            set_={
                "fingerprint": fingerprint,
                "booked_until": case((further, c.booked_until), else_=until),
            },
        )
    )
