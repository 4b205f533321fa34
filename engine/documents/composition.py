"""From the events of the YAML parser to plain data and its outline.

The C parser of ruamel.yaml tells events, and one loop here builds from them. (Its own node graph
costs seven times as much, and recurses in C, which deep nesting can crash.) What a configuration
file has no use for is a problem: tags, second documents, keys given twice, masses of aliases.
"""

from collections.abc import Iterator
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from engine.documents.outline import Outline, Place
from engine.documents.problem import InvalidDocument, KeyPath, Problem, dotted
from engine.documents.scalars import resolve
from engine.documents.unfinished import UnfinishedList, UnfinishedMapping

DEEPEST = 50
MOST_ALIASES = 100
MOST_ALIASED_VALUES = 100_000
MOST_PROBLEMS = 100


def events_of(text: str) -> Iterator[Event]:
    """The parser's events; raises ruamel's own errors, which `syntax.py` explains."""
    return iter(YAML(typ="safe").parse(text))


class _TooWrong(Exception):
    """Reading on would only repeat or worsen the last problem."""


class Composer:
    """Builds one document; `problems` may fill up while it does."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._open: list[UnfinishedMapping | UnfinishedList] = []
        self._anchors: dict[str, tuple[Any, Outline | None]] = {}
        self._aliases = 0
        self._aliased_values = 0
        self._root: tuple[Any, Outline | None, Place] | None = None

    def compose(self, events: Iterator[Event]) -> tuple[dict[str, Any], Outline]:
        """The mapping that the document is; raises InvalidDocument if anything is wrong."""
        try:
            for event in events:
                self._take(event)
            if not self.problems:
                return self._whole()
        except _TooWrong:
            pass
        raise InvalidDocument(self.problems)

    def _whole(self) -> tuple[dict[str, Any], Outline]:
        if self._root is None:
            self._stop((1, 1), "the file is empty; a mapping (key: value) is due")
        data, outline, place = self._root
        if outline is None or not isinstance(data, dict):
            kind = "a list" if isinstance(data, list) else "a single value"
            self._stop(place, f"a mapping (key: value) is due, not {kind}")
        return data, outline

    def _take(self, event: Event) -> None:
        match event:
            case ScalarEvent():
                self._scalar(event)
            case MappingStartEvent() | SequenceStartEvent():
                self._start(event)
            case MappingEndEvent() | SequenceEndEvent():
                done = self._open.pop()
                self._hold(done.finish(), done.outline, done.anchor, done.outline.place)
            case AliasEvent():
                self._alias(event)
            case DocumentStartEvent() if self._root is not None:
                self._stop(_place(event), "a second document starts here; one file holds one")

    def _scalar(self, event: ScalarEvent) -> None:
        self._refuse_tag(event)
        place, value = _place(event), event.value
        if self._open and self._open[-1].key_is_due:
            self._key(value, place, plain=event.implicit[0])
            if event.anchor is not None:
                self._anchors[event.anchor] = (value, None)
            return
        if event.implicit[0]:
            try:
                value = resolve(value)
            except ValueError as error:
                self._wrong(place, str(error))
        self._hold(value, None, event.anchor, place)

    def _key(self, text: str, place: Place, *, plain: bool) -> None:
        # A key is text whatever it looks like, so `on:` and `2024:` are the names they seem to be.
        here = self._open[-1]
        if not isinstance(here, UnfinishedMapping):
            return
        merge = plain and text == "<<"
        here.expect_value(text, merge=merge)
        if merge:
            return
        if (first := here.outline.places.get(text)) is not None:
            self._wrong(place, f"the key {text!r} is given twice; first on line {first[0]}")
        else:
            here.outline.places[text] = place

    def _start(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        self._refuse_tag(event)
        self._refuse_as_key(event)
        place = _place(event)
        if len(self._open) >= DEEPEST:
            self._stop(place, f"nested deeper than {DEEPEST} levels", self._path()[:3])
        self._anchors.pop(event.anchor, None)  # inside itself it does not stand for anything yet
        unfinished = UnfinishedMapping if isinstance(event, MappingStartEvent) else UnfinishedList
        self._open.append(unfinished(Outline(place), event.anchor))

    def _alias(self, event: AliasEvent) -> None:
        self._refuse_as_key(event)
        place, name = _place(event), event.anchor
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            self._stop(place, f"more than {MOST_ALIASES} aliases in one file")
        if name not in self._anchors:
            self._wrong(place, f"the alias *{name} has no anchor &{name} above it")
        value, outline = self._anchors.get(name, (None, None))
        # Nested aliases multiply: nine times nine times nine ... for whoever walks the data.
        self._aliased_values += outline.size if outline else 1
        if self._aliased_values > MOST_ALIASED_VALUES:
            self._stop(place, f"the aliases stand for more than {MOST_ALIASED_VALUES:,} values")
        self._hold(value, outline, None, place)

    def _hold(self, value: Any, outline: Outline | None, anchor: str | None, place: Place) -> None:
        """Put a finished value into what is open around it."""
        if anchor is not None:
            self._anchors[anchor] = (value, outline)
        if not self._open:
            self._root = (value, outline, place)
            return
        try:
            self._open[-1].hold(value, outline, place)
        except ValueError as error:
            self._wrong(place, str(error))

    def _refuse_as_key(self, event: Event) -> None:
        if self._open and self._open[-1].key_is_due:
            self._stop(_place(event), "a key must be text", self._path()[:-1])

    def _refuse_tag(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        # Not even `!!str`: a tag asks for a type, and the types are the schema's to say.
        if event.ctag is not None:
            tag = str(event.ctag).replace("tag:yaml.org,2002:", "!!")
            self._wrong(_place(event), f"the tag {tag} is not allowed; write a plain value")

    def _path(self) -> KeyPath:
        return tuple(here.step for here in self._open)

    def _wrong(self, place: Place, message: str, path: KeyPath | None = None) -> None:
        path = self._path() if path is None else path
        self.problems.append(Problem(self._file, *place, dotted(path), message))
        if len(self.problems) >= MOST_PROBLEMS:
            raise _TooWrong

    def _stop(self, place: Place, message: str, path: KeyPath = ()) -> NoReturn:
        self._wrong(place, message, path)
        raise _TooWrong


def _place(event: Event) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1
