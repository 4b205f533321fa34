"""What people see of secrets: the keys, and how much is sealed under each; never a value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.sealing import Keys
from engine.store.sealed_values import SealedCount

Place = Literal["first", "second", "missing"]
KINDS = ("parameters", "schedules", "keys")


@dataclass(frozen=True, kw_only=True)
class KeyUse:
    """A key by its id, whether it is here, and how many values of each kind are sealed under it."""

    id: str
    place: Place
    sealed: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """As other programs read it."""
        return {"id": self.id, "place": self.place, **self.sealed}


def key_uses(keys: Keys | None, counts: Sequence[SealedCount]) -> Sequence[KeyUse]:
    """Every key that is here or that something is sealed under: the first, the second, others."""
    here = list(keys.ids) if keys else []
    others = sorted({each.key_id for each in counts} - set(here))
    places: Mapping[str, Place] = dict(zip(here, ("first", "second"), strict=False))
    return [
        KeyUse(
            id=key_id,
            place=places.get(key_id, "missing"),
            sealed={
                kind: sum(c.count for c in counts if (c.kind, c.key_id) == (kind, key_id))
                for kind in KINDS
            },
        )
        for key_id in (*here, *others)
    ]
