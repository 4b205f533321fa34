"""The error tree: families with an exit code each, named for the fact."""

from typing import ClassVar


class EngineError(Exception):
    """Base of everything the engine can explain; anything else is a bug.

    A subclass is named for the fact and has a `message` with its facts as `{names}`. The facts
    stay as `facts`, so that nobody parses text.
    """

    message: ClassVar[str] = "the engine could not go on"
    exit_code: ClassVar[int] = 1

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.message.format(**facts))


class Invalid(EngineError):
    """Wrong use, invalid configuration, or an unknown name."""

    exit_code = 2


class UnknownId(EngineError):
    """An id or a reference that no row has."""

    exit_code = 3
    message = "no {noun} has the id {id!r}"


class Refused(EngineError):
    """The engine will not do it as asked: a flag, a reason or an approval is missing."""

    exit_code = 5


class Unreachable(EngineError):
    """The database, the queue or a source does not answer; `until` is when it can be used again."""

    exit_code = 6
    until: ClassVar[str] = "it is back"
