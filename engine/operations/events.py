"""Events as people ask for them and as other programs read them."""

from typing import Any

from engine.clock import rfc3339
from engine.documents.closest import suggestion
from engine.errors import Invalid
from engine.events import EventKind
from engine.store.events import RaisedEvent


class UnknownKind(Invalid):
    """No event is ever of this kind."""

    message = "--kind: {name!r} is no kind of event; {hint}"


def kind_named(name: str) -> EventKind:
    """The kind of this name; raises UnknownKind."""
    try:
        return EventKind(name)
    except ValueError:
        raise UnknownKind(name=name, hint=suggestion(name, map(str, EventKind))) from None


def event_json(event: RaisedEvent) -> dict[str, Any]:
    """One event."""
    return {
        "id": event.id,
        "kind": event.kind,
        "subject": event.subject,
        "text": event.text,
        "facts": dict(event.facts),
        "raised_at": rfc3339(event.raised_at),
    }
