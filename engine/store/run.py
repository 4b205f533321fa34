"""A run as it stands in the ledger, and what is said about it: new, claimed, failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.limits import DuplicatePolicy
from engine.schedules.schedule import Overlap
from engine.states import RunState
from engine.store.sealed_params import ToSeal

# So many of them, and a run is quarantined.
CRASHES_ALLOWED = 3
# How an attempt ends that nobody ended: its worker was lost, or its process died without a word.
CRASHED_OUTCOMES = ("lost", "crashed")
# How an attempt ends that does not count.
UNCOUNTED_OUTCOMES = ("handed_back", "put_off")


@dataclass(frozen=True, kw_only=True)
class RunError:
    """Why an attempt failed. `fingerprint` is equal for errors that are alike."""

    type: str
    message: str
    fingerprint: str
    trace: str | None = None


@dataclass(frozen=True, kw_only=True)
class Firing:
    """The instant of a schedule that a run stands for; unique with its revision."""

    schedule: str
    scheduled_for: datetime
    revision: int = 0
    overlap: Overlap = "skip"


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """A run to be booked. `due_at` None means at once; `skipped` books it as not run, and why.

    Of the runs that are ready the one with the highest `priority` comes first. No attempt starts
    later than `retry_for` after the run was due, or booked if that was later. At most one run with
    the same `unique_key` is unfinished: what becomes of another one `on_duplicate` says, and a
    firing is skipped. Runs with the same `limit_key` share their job's limits. What is `to_seal` is
    stored so that only the holder of the key can read it; `params` has the masks.
    """

    job: str
    queue: str
    params: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 1
    due_at: datetime | None = None
    priority: int = 0
    retry_for: timedelta | None = None
    unique_key: str | None = None
    on_duplicate: DuplicatePolicy = "return"
    limit_key: str | None = None
    key: str | None = None
    actor: str | None = None
    firing: Firing | None = None
    period: tuple[datetime, datetime] | None = None
    skipped: str | None = None
    to_seal: ToSeal | None = None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Proof that one worker may carry out one attempt, until its lease runs out."""

    run_id: int
    attempt: int
    token: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """One firing of a job with given params, as the ledger has it.

    `due_at` is when it was to run at first; it may be claimed from `ready_at` on, which a wait
    between attempts moves. Since `blocked_at` a limit of its job holds it back. `error` is the last
    one, `first_error` the first of its life.
    """

    id: int
    reference: str
    job: str
    queue: str
    state: RunState
    review: str | None
    reason: str | None
    actor: str | None
    key: str | None
    params: Mapping[str, Any]
    result: Any
    attempt: int
    attempts_allowed: int
    schedule: str | None
    scheduled_for: datetime | None
    due_at: datetime
    ready_at: datetime
    retry_until: datetime | None
    priority: int
    unique_key: str | None
    limit_key: str | None
    blocked_at: datetime | None
    payload_bytes: int
    period: tuple[datetime, datetime] | None
    revision: int
    parent_id: int | None
    error: RunError | None
    first_error: RunError | None
    cancel_requested_at: datetime | None
    cancelled_by: str | None
    touched_at: datetime | None
    progress_done: int | None
    progress_total: int | None
    progress_note: str | None
    lease_token: str | None
    lease_until: datetime | None
    worker: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    peak_memory_bytes: int | None

    @property
    def wait(self) -> timedelta | None:
        """From due to its first start; None before that."""
        return self.started_at - self.due_at if self.started_at else None

    @property
    def duration(self) -> timedelta | None:
        """From its first start to its end; None before that."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


@dataclass(frozen=True, kw_only=True)
class ClaimedRun:
    """A run that its worker may carry out now, as the ledger has it since; and the proof."""

    claim: Claim
    run: Run


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try at a run; `outcome` is None while it goes on."""

    run_id: int
    number: int
    worker: str
    outcome: str | None
    error_type: str | None
    error_message: str | None
    error_trace: str | None
    started_at: datetime
    finished_at: datetime | None
    peak_memory_bytes: int | None
    limit_key: str | None

    @property
    def crashed(self) -> bool:
        """Whether nobody ended it. One that is killed at a limit of its own has not crashed."""
        return self.outcome in CRASHED_OUTCOMES

    @property
    def failed(self) -> bool:
        """Whether it has ended, badly, and counts."""
        return self.outcome not in (None, "succeeded", "cancelled", *UNCOUNTED_OUTCOMES)
