"""Whatever happens in whatever order: no effect is doubled, none is lost, and no run is.

What was charged is compared with what runs wanted charged. The gateway charges again whenever it is
asked again, but for keys of calls that are repeatable.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from shutil import rmtree

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, func, select, text, update

from engine.effects.effects import Effects
from engine.effects.faults import EffectUnconfirmed, EffectUnknown, LeaseLost, NotDone
from engine.states import UNFINISHED_RUNS, RunState
from engine.store.cancelled_runs import CancelStore
from engine.store.effects import EffectStore
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.reviews import Decision, ReviewStore
from engine.store.run import Claim, RunError
from engine.store.runs import RunStore
from engine.store.settling import Settlement
from engine.store.tables import effects as effects_table
from engine.store.tables import runs as runs_table
from tests.builders.booking import BROKEN, LONG_AGO, a_run
from tests.builders.database import a_database

KINDS = ("once", "once", "repeatable", "ledger")
WAITING = (RunState.QUEUED, RunState.RETRYING)
ENDS = (
    *("succeed", "fail", "review", "retry", "put off", "hand back"),
    *("cancel", "crash", "quarantine"),
)
WHY = RunError(type="Quarantined", message="crashed 3 times", fingerprint="q" * 16)
AT_ONCE = timedelta()
MANY = 99


class Died(BaseException):
    """The attempt's process is gone; nothing in it goes on."""


@dataclass
class UnderWay:
    """An attempt that goes on; it may be the one of a worker whose lease has run out."""

    claim: Claim
    kind: str
    called: list[str] = field(default_factory=list)


class Payments(RuleBasedStateMachine):
    """Books, charges, ends, kills, cancels, reviews and retries at random."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="engine-tests-"))
        self.database = a_database(self.folder)
        # Leases end when a step says so, however slow the machine is.
        self.runs = RunStore(self.database, lease=timedelta(hours=1))
        self.effects = Effects(self.database)
        self.reviews, self.failed = ReviewStore(self.database), FailedRunStore(self.database)
        with self.database.begin() as connection:
            connection.execute(text("CREATE TABLE postings (effect TEXT)"))
        self.kinds: dict[int, str] = {}
        self.under_way: list[UnderWay] = []
        self.charged: Counter[str] = Counter()
        self.states: dict[int, RunState] = {}
        self.lost: list[int] = []

    @initialize(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
    def book(self, kinds: list[str]) -> None:
        for kind in kinds:
            run = a_run(self.runs, attempts=3)
            self.kinds[run.id] = kind
            self.claim(run.id)

    @rule(kind=st.sampled_from(KINDS))
    def book_another(self, kind: str) -> None:
        self.book([kind])

    def those(self, *states: RunState) -> list[int]:
        """The ids of runs in these states, as they were after the last step."""
        return [run_id for run_id, state in self.states.items() if state in states]

    # What runs do

    @precondition(lambda self: self.those(*WAITING))
    @rule(which=st.integers(0, 99), unguarded=st.booleans())
    def begin(self, which: int, *, unguarded: bool) -> None:
        waiting = self.those(*WAITING)
        self.claim(waiting[which % len(waiting)], unguarded=unguarded)

    def claim(self, run_id: int, *, unguarded: bool = False) -> None:
        claim = self.runs.claim(run_id, "worker-1")
        assert claim is not None
        if unguarded:
            self.runs.secure(claim, unguarded=True)
        self.under_way.append(UnderWay(claim, self.kinds[run_id]))

    @precondition(lambda self: self.under_way)
    @rule(
        which=st.integers(0, 99),
        number=st.integers(0, 1),
        mood=st.sampled_from(["well", "before", "after", "not done", "dies before", "dies after"]),
        insists=st.sampled_from([True, True, False]),
    )
    def do(self, which: int, number: int, mood: str, *, insists: bool) -> None:
        """A job does something, and may try it again by itself whatever came of it."""
        attempt = self.under_way[which % len(self.under_way)]
        for each in [mood, "well"] if insists and not mood.startswith("dies") else [mood]:
            with suppress(
                ConnectionError, NotDone, EffectUnknown, EffectUnconfirmed, LeaseLost, Died
            ):
                self.once(attempt, number, each)
        if mood.startswith("dies"):
            self.under_way.remove(attempt)
            self.let_the_lease_run_out(attempt)

    def once(self, attempt: UnderWay, number: int, mood: str) -> None:
        key = f"{attempt.claim.run_id}-{number}"

        def fail_as_told(when: str) -> None:
            if mood == when:
                raise ConnectionError(when)
            if mood == f"dies {when}":
                raise Died

        def charge() -> str:
            # An attempt is killed before its lease ends, so that none calls anybody after that.
            if mood == "not done":
                raise NotDone
            fail_as_told("before")
            if not (attempt.kind == "repeatable" and self.charged[key]):
                self.charged[key] += 1
            attempt.called.append(key)
            fail_as_told("after")
            return key

        def post(connection: Connection) -> str:
            fail_as_told("before")
            connection.execute(text("INSERT INTO postings VALUES (:key)"), {"key": key})
            fail_as_told("after")
            return key

        if attempt.kind == "ledger":
            assert self.effects.once(attempt.claim, key, number, post) == key
        else:
            again = attempt.kind == "repeatable"
            done = self.effects.once(attempt.claim, key, number, charge, repeatable=again)
            assert done in (key, "seen")

    @precondition(lambda self: self.under_way)
    @rule(
        which=st.integers(0, 99),
        how=st.sampled_from(ENDS),
    )
    def end(self, which: int, how: str) -> None:
        attempt = self.under_way.pop(which % len(self.under_way))
        claim = attempt.claim
        ends: dict[str, Callable[[], RunState | None]] = {
            "succeed": lambda: self.runs.succeed(claim, None),
            "fail": lambda: self.runs.fail(claim, BROKEN),
            "review": lambda: self.runs.fail(claim, BROKEN, needs_review=True),
            "retry": lambda: self.runs.retry_later(claim, BROKEN, AT_ONCE),
            "put off": lambda: self.runs.put_off(claim, BROKEN, AT_ONCE),
            "hand back": lambda: self.runs.hand_back(claim, BROKEN),
            "cancel": lambda: self.runs.cancel(claim),
            "crash": lambda: self.runs.crash(claim, BROKEN, AT_ONCE),
            "quarantine": lambda: self.runs.crash(claim, BROKEN, None, quarantined=WHY),
        }
        if how != "succeed" or self.has_all(claim.run_id):
            ends[how]()
        else:
            ends["retry"]()

    def has_all(self, run_id: int) -> bool:
        """Whether a job that does its work could have come to its end."""
        found = EffectStore(self.database).of_run(run_id)
        return len([each for each in found if each.state != "not_done"]) == 2

    # What happens to them

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 99), late=st.booleans())
    def kill(self, which: int, *, late: bool) -> None:
        """A worker dies, or loses its lease and says later how its attempt ended."""
        attempt = self.under_way[which % len(self.under_way)]
        self.let_the_lease_run_out(attempt)
        if not late:
            self.under_way.remove(attempt)

    def let_the_lease_run_out(self, attempt: UnderWay) -> None:
        with self.database.begin() as connection:
            mine = (
                runs_table.c.id == attempt.claim.run_id,
                runs_table.c.lease_token == attempt.claim.token,
            )
            connection.execute(update(runs_table).where(*mine).values(lease_until=LONG_AGO))

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 99))
    def say_late_what_came_of_it(self, which: int) -> None:
        attempt = self.under_way[which % len(self.under_way)]
        for key in attempt.called:
            EffectStore(self.database).finish(attempt.claim, key, key)

    @precondition(lambda self: self.lost)
    @rule(again=st.booleans())
    def sweep(self, *, again: bool) -> None:
        for run in self.runs.lost():
            assert self.runs.rescue(run, BROKEN, AT_ONCE if again else None)

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 99))
    def ask_for_the_end(self, which: int) -> None:
        run_id = [*self.kinds][which % len(self.kinds)]
        CancelStore(self.database).cancel([run_id], actor="sara", reason=None)

    @precondition(lambda self: self.those(*WAITING))
    @rule(which=st.integers(0, 99))
    def let_it_be_too_late(self, which: int) -> None:
        waiting = self.those(*WAITING)
        run_id = waiting[which % len(waiting)]
        with self.database.begin() as connection:
            here = runs_table.c.id == run_id
            connection.execute(update(runs_table).where(here).values(retry_until=LONG_AGO))
        assert self.runs.give_up(self.runs.get(run_id), BROKEN)

    # What people decide

    @precondition(lambda self: self.those(RunState.FAILED))
    @rule(
        which=st.integers(0, 99),
        rejects=st.sampled_from([False, False, True]),
        wholly=st.booleans(),
        eyes=st.booleans(),
    )
    def review(
        self, which: int, *, rejects: bool, wholly: bool = False, eyes: bool = False
    ) -> None:
        """What may be repeated may stay open in what is approved."""
        kept = [run for run in self.failed.list(FailedRuns()) if run.review]
        if not kept:
            return
        run = kept[which % len(kept)]
        found = EffectStore(self.database).of_run(run.id)
        open_ = [each.key for each in found if each.is_unknown or (wholly and each.is_open)]
        known = Settlement() if rejects and not wholly else self.truth(open_)
        decision: Decision = "rejected" if rejects else "approved"
        by = {"authenticated": True, "four_eyes": eyes}
        self.reviews.decide(run.id, decision, actor="omar", reason="seen", settlement=known, **by)

    def truth(self, keys: Sequence[str], *, but: bool = False) -> Settlement:
        """What the gateway's books say of these keys; or the contrary."""
        charged = [key for key in keys if bool(self.charged[key]) is not but]
        return Settlement(
            happened=dict.fromkeys(charged, "seen"),
            did_not_happen=[key for key in keys if key not in charged],
        )

    @rule(which=st.integers(0, 99), eyes=st.booleans())
    def say_it_wrongly_and_then_rightly(self, which: int, *, eyes: bool) -> None:
        """Whatever became of the run since somebody settled its effects."""
        run_id = [*self.kinds][which % len(self.kinds)]
        found = EffectStore(self.database).of_run(run_id)
        settled = [each.key for each in found if each.settled_by]
        by = {"authenticated": True, "four_eyes": eyes}
        for known in (self.truth(settled, but=True), self.truth(settled)):
            self.reviews.settle(run_id, known, actor="omar", reason="seen", **by)

    @precondition(lambda self: self.those(RunState.FAILED))
    @rule()
    def retry(self) -> None:
        self.failed.retry(
            FailedRuns(), actor="sara", reason=None, attempts=lambda _: 3, authenticated=True
        )

    @precondition(lambda self: self.those(RunState.FAILED))
    @rule(which=st.integers(0, 99))
    def discard(self, which: int) -> None:
        run_id = [*self.kinds][which % len(self.kinds)]
        self.failed.discard(FailedRuns(ids=[run_id]), actor="sara", reason=None)

    # What must hold

    @invariant()
    def nothing_is_doubled(self) -> None:
        assert [key for key, count in self.charged.items() if count > 1] == []
        with self.database.read() as connection:
            query = text("SELECT effect FROM postings GROUP BY effect HAVING count(*) > 1")
            assert connection.execute(query).all() == []

    @invariant()
    def what_is_unknown_is_known_to_be(self) -> None:
        of_run = select(func.count()).where(effects_table.c.run_id == runs_table.c.id)
        started = effects_table.c.state == "started"
        counted = {
            "started": started,
            "unknown": started & ~effects_table.c.repeatable,
            "unconfirmed": effects_table.c.state == "unconfirmed",
        }
        counts = [
            of_run.where(which).scalar_subquery().label(f"is_{name}")
            for name, which in counted.items()
        ]
        with self.database.read() as connection:
            query = select(*runs_table.c, *counts).order_by(runs_table.c.id)
            rows = connection.execute(query).mappings().all()
            self.states = {row["id"]: RunState(row["state"]) for row in rows}
            self.lost = [row["id"] for row in rows if row["lease_until"] == LONG_AGO]
            for row in rows:
                assert row["effects_open"] == row["is_started"] + row["is_unconfirmed"]
                assert row["effects_in_doubt"] == row["is_unknown"] + row["is_unconfirmed"]
                if row["is_unknown"] and row["state"] != RunState.RUNNING:
                    assert row["state"] == RunState.FAILED
                    assert row["review"] in ("required", "rejected")
                if row["is_started"] and row["state"] not in UNFINISHED_RUNS:
                    assert row["state"] == RunState.FAILED
                    assert row["review"] in ("required", "rejected", "approved")

    @invariant()
    def what_is_done_was_charged(self) -> None:
        with self.database.read() as connection:
            done = select(effects_table.c.key).where(effects_table.c.state == "done")
            posted = set(connection.execute(text("SELECT effect FROM postings")).scalars())
            assert set(connection.execute(done).scalars()) <= posted | set(self.charged)

    def teardown(self) -> None:
        """Every run comes to an end, and each that succeeds has done all of it once."""
        try:
            self.finish_all()
            for run_id, kind in self.kinds.items():
                state = self.runs.get(run_id).state
                over = (RunState.SUCCEEDED, RunState.CANCELLED, RunState.DISCARDED)
                assert state in over, state
                if state is RunState.SUCCEEDED and kind != "ledger":
                    assert [self.charged[f"{run_id}-{n}"] for n in (0, 1)] == [1, 1]
            self.nothing_is_doubled()
        finally:
            self.database.dispose()
            rmtree(self.folder)

    def finish_all(self) -> None:
        for _ in range(4 * len(self.kinds) + 4):
            for attempt in [*self.under_way]:
                self.let_the_lease_run_out(attempt)
            self.under_way.clear()
            self.sweep(again=True)
            for number in range(len(self.kinds)):
                self.review(number, rejects=False)
            self.retry()
            self.what_is_unknown_is_known_to_be()
            for run_id in self.those(*WAITING):
                self.claim(run_id)
                self.carry_out(self.under_way.pop())
            self.what_is_unknown_is_known_to_be()

    def carry_out(self, attempt: UnderWay) -> None:
        try:
            for number in (0, 1):
                self.once(attempt, number, "well")
        except EffectUnconfirmed:
            self.runs.retry_later(attempt.claim, BROKEN, AT_ONCE)
        except EffectUnknown as error:
            raise AssertionError("an effect is open in a run that goes on") from error
        self.runs.succeed(attempt.claim, None)


TestPayments = Payments.TestCase
TestPayments.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
