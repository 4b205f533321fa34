"""Where everything in a document was written, beside its plain data."""

from dataclasses import dataclass, field

from engine.documents.problem import KeyPath

Place = tuple[int, int]
"""Line and column, counted from 1."""


@dataclass(slots=True)
class Outline:
    """The places of one mapping's keys or one list's items, and the outlines inside them."""

    place: Place
    places: dict[str | int, Place] = field(default_factory=dict)
    inner: dict[str | int, "Outline"] = field(default_factory=dict)
    size: int = 1  # values in it, those behind aliases counted each time

    def add(self, step: str | int, outline: "Outline | None") -> None:
        """Note what is inside at `step`: an outline, or a single value."""
        self.size += outline.size if outline else 1
        if outline is not None:
            self.inner[step] = outline

    def locate(self, path: KeyPath) -> Place:
        """Where `path` is written, or else the nearest thing around it that is."""
        here: Outline | None = self
        place = self.place
        for part in path:
            if here is None or part not in here.places:
                break
            place = here.places[part]
            here = here.inner.get(part)
        return place
