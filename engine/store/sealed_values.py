"""Sealed values: all that the ledger keeps sealed, under which keys, and how it is sealed anew.

They are parameters of runs, params of schedules, and keys.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Update, func, select, update

from engine.errors import Invalid
from engine.sealing import Keys, Sealer, key_id_of
from engine.store import audit_key
from engine.store.act import Act, note
from engine.store.database import Database
from engine.store.schedule_marks import PURPOSE, SEALED, context_of
from engine.store.sealed_params import SealedRun
from engine.store.tables import runs, schedule_marks, sealed_params
from engine.store.user_tables import sealed_keys

# In a transaction, so that nobody waits long for it.
_PAGE = 500
# `v1.0a1b2c3d.`: the version and the name of the key.
_HEAD = 12


@dataclass(frozen=True, kw_only=True)
class SealedCount:
    """How many values of a kind are sealed under a key."""

    kind: str
    key_id: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Resealed:
    """How many values of a kind were sealed anew; `unopened` could not be opened, by their key."""

    kind: str
    resealed: int
    unopened: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class _Value:
    """One of them; `here` updates it where it is, if it is still the same, with `values`."""

    sealed: str
    context: str
    here: Update
    values: Callable[[str], Mapping[str, Any]]


class SealedValueStore:
    """All that one ledger keeps sealed."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def counts(self) -> Sequence[SealedCount]:
        """How many values of each kind are sealed under which key."""
        found: Counter[tuple[str, str]] = Counter()
        with self.database.read() as connection:
            for kind, table in (("parameters", sealed_params), ("keys", sealed_keys)):
                head = func.substr(table.c.sealed, 1, _HEAD)
                for text, count in connection.execute(select(head, func.count()).group_by(head)):
                    found[kind, key_id_of(text)] += count
            for value in _of_schedules(connection):
                found["schedules", key_id_of(value.sealed)] += 1
        return [
            SealedCount(kind=kind, key_id=key_id, count=count)
            for (kind, key_id), count in sorted(found.items())
        ]

    def reseal(self, keys: Keys, *, actor: str, rehearse: bool = False) -> Sequence[Resealed]:
        """Seal under the first key what is under another one; to `rehearse` is to open it only.

        What cannot be opened stays as it is, and so does what somebody else writes meanwhile.
        """
        kinds: Sequence[tuple[str, Sealer, Callable[[Connection], Sequence[_Value]]]] = (
            ("parameters", Sealer(keys), _of_runs),
            ("schedules", Sealer(keys, PURPOSE), _of_schedules),
            ("keys", audit_key.sealer(keys), _of_keys),
        )
        done = []
        for kind, sealer, find in kinds:
            with self.database.read() as connection:
                values = [each for each in find(connection) if sealer.needs_reseal(each.sealed)]
            opened, unopened = _opened(sealer, values)
            if not rehearse:
                self._put(kind, sealer, opened, actor)
            done.append(Resealed(kind=kind, resealed=len(opened), unopened=unopened))
        return done

    def _put(
        self, kind: str, sealer: Sealer, opened: Sequence[tuple[_Value, str]], actor: str
    ) -> None:
        for start in range(0, len(opened), _PAGE):
            page = opened[start : start + _PAGE]
            with self.database.begin() as connection:
                for value, text in page:
                    sealed = sealer.seal(text, value.context)
                    connection.execute(value.here.values(value.values(sealed)))
                facts = {"kind": kind, "key": sealer.keys.ids[0]}
                act = Act(
                    actor=actor, act="rotate", subject="secrets", count=len(page), facts=facts
                )
                note(connection, act)


def _opened(
    sealer: Sealer, values: Sequence[_Value]
) -> tuple[list[tuple[_Value, str]], Mapping[str, int]]:
    opened: list[tuple[_Value, str]] = []
    unopened: Counter[str] = Counter()
    for value in values:
        try:
            opened.append((value, sealer.open(value.sealed, value.context)))
        except Invalid:
            unopened[key_id_of(value.sealed)] += 1
    return opened, dict(unopened)


def _of_runs(connection: Connection) -> Sequence[_Value]:
    c = sealed_params.c
    query = select(c.run_id, c.name, c.sealed, runs.c.reference, runs.c.job)
    found = connection.execute(query.join_from(sealed_params, runs).order_by(c.run_id, c.name))
    return [
        _Value(
            sealed=row.sealed,
            context=SealedRun(reference=row.reference, job=row.job).context(row.name),
            here=update(sealed_params).where(
                c.run_id == row.run_id, c.name == row.name, c.sealed == row.sealed
            ),
            values=_as_sealed,
        )
        for row in found
    ]


def _of_schedules(connection: Connection) -> Sequence[_Value]:
    c = schedule_marks.c
    query = select(c.schedule, c.version, c.definition).where(c.definition.is_not(None))
    return [
        _Value(
            sealed=row.definition[SEALED],
            context=context_of(row.schedule),
            # The same version says the same.
            here=update(schedule_marks).where(c.schedule == row.schedule, c.version == row.version),
            values=_within(row.definition),
        )
        for row in connection.execute(query.order_by(c.schedule))
        if row.definition and SEALED in row.definition
    ]


def _of_keys(connection: Connection) -> Sequence[_Value]:
    c = sealed_keys.c
    found = connection.execute(select(c.name, c.sealed).order_by(c.name))
    return [
        _Value(
            sealed=row.sealed,
            context=audit_key.CONTEXT,
            here=update(sealed_keys).where(c.name == row.name, c.sealed == row.sealed),
            values=_as_sealed,
        )
        for row in found
    ]


def _as_sealed(sealed: str) -> Mapping[str, Any]:
    return {"sealed": sealed}


def _within(definition: Mapping[str, Any]) -> Callable[[str], Mapping[str, Any]]:
    return lambda sealed: {"definition": {**definition, SEALED: sealed}}
