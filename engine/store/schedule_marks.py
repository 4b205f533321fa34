"""The version of each schedule that is in force, and how far its firings are booked."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, delete, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from engine.store.tables import schedule_marks
from engine.store.turns import take_turn
from engine.store.upsert import upsert

# Under which a definition has what of its params is sealed, and what that is bound to.
SEALED = "sealed"
PURPOSE = "schedules"
_FACTS = [each for each in schedule_marks.c if each is not schedule_marks.c.definition]


def context_of(schedule: str) -> str:
    """What is sealed of a schedule's params is bound to this."""
    return f"schedule {schedule}"


@dataclass(frozen=True, kw_only=True)
class ScheduleMark:
    """Every firing up to `booked_until` is booked, or is nobody's.

    `fingerprint` is the trigger's; `version` is of all that the schedule says. `read_at` is when
    it was read from its file, by the ledger's clock: of two versions, the one that was read last
    is in force. Both are None in a mark that nobody has read a schedule for. If only the version
    is None, the schedule was not in the file any more; `booked_until` is when it went then.
    """

    schedule: str
    fingerprint: str
    booked_until: datetime
    version: str | None = None
    read_at: datetime | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the schedule was not in the file when that was read last."""
        return self.version is None and self.read_at is not None

    def is_of(self, other: "ScheduleMark | None") -> bool:
        """Whether both are of the same reading of the same version."""
        return other is not None and (self.version, self.read_at) == (other.version, other.read_at)


def mark_of(connection: Connection, schedule: str, *, to_book: bool = False) -> ScheduleMark | None:
    """The schedule's mark; None if it is new.

    `to_book`: from here on, this write transaction is the only one that books this schedule.
    """
    if to_book:
        take_turn(connection, "schedule", schedule)
    query = select(*_FACTS).where(schedule_marks.c.schedule == schedule)
    found = connection.execute(query).mappings().one_or_none()
    return ScheduleMark(**found) if found else None


def all_marks(connection: Connection) -> Mapping[str, ScheduleMark]:
    """Every schedule's mark, by its name."""
    found = connection.execute(select(*_FACTS)).mappings()
    return {row["schedule"]: ScheduleMark(**row) for row in found}


def last_read_at(connection: Connection) -> datetime | None:
    """When a file was last read, of those that a mark is left of; None if there is none."""
    last: datetime | None = connection.execute(select(func.max(schedule_marks.c.read_at))).scalar()
    return last


def definition_of(connection: Connection, schedule: str) -> Mapping[str, Any] | None:
    """The version in force, as it was put there."""
    query = select(schedule_marks.c.definition).where(schedule_marks.c.schedule == schedule)
    found: Mapping[str, Any] | None = connection.execute(query).scalar_one_or_none()
    return found


def move_mark(connection: Connection, schedule: str, until: datetime) -> None:
    """Every firing up to `until` is booked; a mark never moves back."""
    c = schedule_marks.c
    here = update(schedule_marks).where(c.schedule == schedule, c.booked_until < until)
    connection.execute(here.values(booked_until=until))


def put_mark(
    connection: Connection, mark: ScheduleMark, definition: Mapping[str, Any] | None = None
) -> bool:
    """This version is in force from `booked_until` on, or from where the one before had come to.

    False if what is in force was read later, or at the same time.
    """
    c = schedule_marks.c
    values = _values(mark, definition)
    further = c.booked_until > mark.booked_until
    kept = {**values, "booked_until": case((further, c.booked_until), else_=mark.booked_until)}
    new = upsert(connection, schedule_marks).values(values)
    put = new.on_conflict_do_update(
        index_elements=["schedule"],
        set_=kept,
        where=or_(c.read_at.is_(None), c.read_at < new.excluded.read_at),
    )
    return connection.execute(put.returning(c.schedule)).one_or_none() is not None


def put_first_marks(
    connection: Connection, marks: Iterable[tuple[ScheduleMark, Mapping[str, Any]]]
) -> None:
    """These versions, with their definitions, are in force where there was none."""
    # In one order, here and below, so that nobody waits in a circle.
    rows = sorted((_values(*each) for each in marks), key=lambda row: str(row["schedule"]))
    if rows:
        new = upsert(connection, schedule_marks)
        connection.execute(new.on_conflict_do_nothing(), rows)


def read_again(connection: Connection, seen: Iterable[ScheduleMark], read_at: datetime) -> None:
    """The same versions were read once more; what was read meanwhile is older than that."""
    c = schedule_marks.c
    same = (
        c.schedule == bindparam("of_schedule"),
        c.version == bindparam("of_version"),
        c.read_at < read_at,
    )
    rows = [{"of_schedule": each.schedule, "of_version": each.version} for each in seen]
    if rows:
        rows.sort(key=lambda row: str(row["of_schedule"]))
        connection.execute(update(schedule_marks).where(*same).values(read_at=read_at), rows)


def let_go(connection: Connection, schedules: Iterable[str], read_at: datetime) -> None:
    """These were not in the file any more when it was read; nobody fires them since."""
    c = schedule_marks.c
    kept = or_(_is_gone(), c.booked_until > read_at)
    values = {
        "version": None,
        "definition": None,
        "read_at": read_at,
        "booked_until": case((kept, c.booked_until), else_=read_at),
    }
    older = or_(c.read_at.is_(None), c.read_at < read_at)
    gone = update(schedule_marks).where(c.schedule == bindparam("of_schedule"), older)
    rows = [{"of_schedule": each} for each in sorted(schedules)]
    if rows:
        connection.execute(gone.values(values), rows)


def forget_gone(connection: Connection, before: datetime) -> None:
    """Remove the marks of schedules that went before then; they are new if they come back."""
    connection.execute(
        delete(schedule_marks).where(_is_gone(), schedule_marks.c.booked_until < before)
    )


def _is_gone() -> ColumnElement[bool]:
    c = schedule_marks.c
    return and_(c.version.is_(None), c.read_at.is_not(None))


def _values(mark: ScheduleMark, definition: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**asdict(mark), "definition": None if definition is None else dict(definition)}
