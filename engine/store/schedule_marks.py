"""How far each schedule's firings are booked."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from engine.store.tables import schedule_marks


def booked_until(connection: Connection, schedule: str, fingerprint: str) -> datetime | None:
    """The instant up to which this trigger's firings are booked; None for a new trigger."""
    c = schedule_marks.c
    query = select(c.booked_until).where(c.schedule == schedule, c.fingerprint == fingerprint)
    return connection.execute(query).scalar_one_or_none()


def mark(connection: Connection, schedule: str, fingerprint: str, until: datetime) -> None:
    """Every firing up to `until` is booked, or is nobody's."""
    here = schedule_marks.c.schedule == schedule
    values = {"fingerprint": fingerprint, "booked_until": until}
    if connection.execute(update(schedule_marks).where(here).values(values)).rowcount == 0:
        connection.execute(insert(schedule_marks).values(values | {"schedule": schedule}))
