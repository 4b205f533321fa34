"""A mapping or a list whose end the parser has not told yet."""

from dataclasses import dataclass, field
from typing import Any

from engine.documents.outline import Outline, Place


@dataclass(slots=True)
class UnfinishedList:
    """Items so far."""

    outline: Outline
    anchor: str | None
    data: list[Any] = field(default_factory=list)
    key_is_due = False

    @property
    def step(self) -> int:
        """Where in the list the reader is."""
        return len(self.data)

    def hold(self, value: Any, outline: Outline | None, place: Place) -> None:
        """Take the next item."""
        index = len(self.data)
        self.data.append(value)
        self.outline.places[index] = place
        self.outline.add(index, outline)

    def finish(self) -> list[Any]:
        """The list, all of it."""
        return self.data


@dataclass(slots=True)
class UnfinishedMapping:
    """Keys and values so far; a key is due, or the value of `step` is."""

    outline: Outline
    anchor: str | None
    data: dict[str, Any] = field(default_factory=dict)
    step: str = ""
    key_is_due: bool = True
    step_is_merge: bool = False
    merged: list[tuple[dict[str, Any], Outline]] = field(default_factory=list)

    def expect_value(self, key: str, *, merge: bool) -> None:
        """The next value belongs to `key`."""
        self.step, self.step_is_merge, self.key_is_due = key, merge, False

    def hold(self, value: Any, outline: Outline | None, place: Place) -> None:
        """Take the value of the key before it; ValueError if it cannot be merged."""
        self.key_is_due = True
        if self.step_is_merge:
            self._merge(value, outline)
        else:
            self.data[self.step] = value
            self.outline.add(self.step, outline)

    def _merge(self, value: Any, outline: Outline | None) -> None:
        # `<<: *defaults` is the one way of YAML to share keys; a list of them: the first wins.
        parts = [(value, outline)]
        if isinstance(value, list) and outline is not None:
            parts = [(part, outline.inner.get(index)) for index, part in enumerate(value)]
        for data, where in parts:
            if not isinstance(data, dict) or where is None:
                raise ValueError("'<<' takes a mapping, or a list of mappings")
            self.merged.append((data, where))

    def finish(self) -> dict[str, Any]:
        """The mapping, with the merged keys that it does not say itself."""
        for data, outline in self.merged:
            for key in data:
                if key not in self.data:
                    self.data[key] = data[key]
                    self.outline.places[key] = outline.places[key]
                    self.outline.add(key, outline.inner.get(key))
        return self.data
