"""What a worker and its fork server say to each other: frozen messages, one JSON object a line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Self


class Cause(StrEnum):
    """Why an attempt ended."""

    FINISHED = "finished"  # it delivered an outcome; whether that is a good one is not said here
    CRASHED = "crashed"  # its process ended, or could not be started, without an outcome
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    STOPPED = "stopped"  # the worker asked for it; the reason says why


class StopReason(StrEnum):
    """Why a worker wants an attempt to stop."""

    CANCELLED = "cancelled"
    HANDED_BACK = "handed_back"
    LEASE_LOST = "lease_lost"  # the attempt has no right to live: killed without grace


class Stream(StrEnum):
    """Where a line of an attempt came from."""

    STDOUT = "stdout"
    STDERR = "stderr"
    LOG = "log"


@dataclass(frozen=True, kw_only=True)
class Prepare:
    """Worker: load these modules, have this function (`module:name`) make what carries out
    attempts, then say that you are ready.
    """

    word: ClassVar = "prepare"

    performer: str
    preload: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {"performer": self.performer, "preload": list(self.preload)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data."""
        return cls(performer=data["performer"], preload=tuple(data["preload"]))


@dataclass(frozen=True, kw_only=True)
class Ready:
    """Fork server: start orders are welcome; `pid` is its own, `problems` what did not load."""

    word: ClassVar = "ready"

    pid: int
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {"pid": self.pid, "problems": list(self.problems)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data."""
        return cls(pid=data["pid"], problems=tuple(data["problems"]))


@dataclass(frozen=True, kw_only=True)
class Broken:
    """Fork server: `perform` cannot be loaded, so there is nothing to serve."""

    word: ClassVar = "broken"

    error: str

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {"error": self.error}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data."""
        return cls(error=data["error"])


@dataclass(frozen=True, kw_only=True)
class Order:
    """Worker: carry out this attempt in its own process group, within these limits.

    `grace` is what lies between the request to stop and the kill; `log_limit` (bytes) bounds
    the lines that are kept. When the `fuse` has burnt down, the attempt is killed at once, unless
    a `Renewed` brought a longer one; None never burns. `payload` is for `perform`; the fork server
    does not look into it.
    """

    word: ClassVar = "start"

    id: str
    run_id: int
    attempt: int
    token: str
    time_limit: timedelta | None = None
    memory_limit: int | None = None
    grace: timedelta = timedelta(seconds=10)
    log_limit: int = 1_000_000
    fuse: timedelta | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "id": self.id,
            "run_id": self.run_id,
            "attempt": self.attempt,
            "token": self.token,
            "time_limit": _seconds(self.time_limit),
            "memory_limit": self.memory_limit,
            "grace": self.grace.total_seconds(),
            "log_limit": self.log_limit,
            "fuse": _seconds(self.fuse),
            "payload": dict(self.payload),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data."""
        durations = {
            name: None if data[name] is None else timedelta(seconds=data[name])
            for name in ("time_limit", "grace", "fuse")
        }
        return cls(**{**data, **durations})


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """Worker: the attempt's lease was renewed, so that it has this much longer from now on."""

    word: ClassVar = "renewed"

    id: str
    fuse: timedelta

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {"id": self.id, "fuse": self.fuse.total_seconds()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data."""
        return cls(id=data["id"], fuse=timedelta(seconds=data["fuse"]))


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Worker: end this attempt; nothing happens if it has ended by itself."""

    word: ClassVar = "stop"

    id: str
    reason: StopReason

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {"id": self.id, "reason": self.reason}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data."""
        return cls(id=data["id"], reason=StopReason(data["reason"]))


@dataclass(frozen=True)
class Line:
    """One line an attempt wrote; a log record may hold line breaks of its own."""

    at: datetime
    stream: Stream
    text: str


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Fork server: what the attempt wrote since the last time."""

    word: ClassVar = "lines"

    id: str
    lines: tuple[Line, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        rows = [[instant_text(line.at), line.stream, line.text] for line in self.lines]
        return {"id": self.id, "lines": rows}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data."""
        rows = data["lines"]
        lines = (Line(datetime.fromisoformat(at), Stream(name), text) for at, name, text in rows)
        return cls(id=data["id"], lines=tuple(lines))


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Fork server: how far the attempt has come, by its own account; only the latest is said."""

    word: ClassVar = "progress"

    id: str
    done: int
    total: int | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {"id": self.id, "done": self.done, "total": self.total, "note": self.note}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data."""
        return cls(**data)


@dataclass(frozen=True, kw_only=True)
class AttemptEnd:
    """Fork server: the attempt is over, and no process of it is left.

    `outcome` is what `perform` delivered, if it did; `reason` goes with the cause `stopped`;
    `error` is a sentence for a person, None when the attempt finished. `exit_code` is None for
    a process that ended by `signal`, or that never was. `killed` counts the other processes of
    the attempt that had to be killed.
    """

    word: ClassVar = "end"

    id: str
    cause: Cause
    reason: StopReason | None = None
    outcome: Any = None
    error: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    killed: int = 0
    duration: timedelta = timedelta(0)
    peak_memory_bytes: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "id": self.id,
            "cause": self.cause,
            "reason": self.reason,
            "outcome": self.outcome,
            "error": self.error,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "killed": self.killed,
            "duration": self.duration.total_seconds(),
            "peak_memory_bytes": self.peak_memory_bytes,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Back from JSON-ready data."""
        reason = data["reason"]
        parsed = {
            "cause": Cause(data["cause"]),
            "reason": None if reason is None else StopReason(reason),
            "duration": timedelta(seconds=data["duration"]),
        }
        return cls(**{**data, **parsed})


Message = Prepare | Ready | Broken | Order | Renewed | Stop | Lines | Progress | AttemptEnd

_KINDS: tuple[type[Message], ...] = (
    *(Prepare, Ready, Broken),
    *(Order, Renewed, Stop),
    *(Lines, Progress, AttemptEnd),
)
MESSAGES: Mapping[str, type[Message]] = {each.word: each for each in _KINDS}


def encode(message: Message) -> bytes:
    """The message as one line; JSON escapes every line break inside."""
    return json.dumps({message.word: message.to_json()}, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message that `encode` made the line from."""
    ((word, data),) = json.loads(line).items()
    return MESSAGES[word].from_json(data)


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def instant_text(at: datetime) -> str:
    """An instant as RFC 3339 in UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
