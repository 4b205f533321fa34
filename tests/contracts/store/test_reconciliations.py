"""Recording what reconciliations found, and the lives of breaks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from engine.errors import UnknownId
from engine.states import BreakState
from engine.store.break_tables import breaks
from engine.store.breaks import Break, BreakStore
from engine.store.database import Database
from engine.store.difference import Difference
from engine.store.reconciled import Reconciled, Recorded
from engine.store.reconciliations import ReconciliationStore
from engine.store.tables import runs

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
DRIFT = Difference(
    check="balance",
    code="BALANCE_DRIFT",
    kind="amount",
    wallet="7",
    entry=None,
    currency="SAR",
    amount_minor=5,
    expected_minor=10,
    actual_minor=15,
)
CHAIN = replace(DRIFT, check="chain", code="CHAIN_BREAK", entry="31", amount_minor=-2)


class Ledger:
    """A ledger in which night after night is recorded."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = ReconciliationStore(self.database)
        self.breaks = BreakStore(self.database)
        self.nights = 0

    def night(
        self,
        differences: Sequence[Difference],
        *,
        cut_off: datetime | None = None,
        checks: Sequence[str] = ("balance", "chain"),
        name: str = "wallets",
        **changes: Any,
    ) -> Recorded:
        """Book a run and record what it found, a day after the night before."""
        self.nights += 1
        with self.database.begin() as connection:
            connection.execute(
                insert(runs).values(
                    id=self.nights,
                    reference=f"run-{self.nights}",
                    job="reconcile",
                    queue="default",
                    state="running",
                    params={},
                    attempts_allowed=1,
                    due_at=START,
                    ready_at=START,
                    created_at=START,
                )
            )
        return self.record(differences, cut_off=cut_off, checks=checks, name=name, **changes)

    def record(
        self,
        differences: Sequence[Difference],
        *,
        cut_off: datetime | None = None,
        checks: Sequence[str] = ("balance", "chain"),
        name: str = "wallets",
        **changes: Any,
    ) -> Recorded:
        """Record the run of this night, perhaps once more."""
        at = START + timedelta(days=self.nights)
        found = Reconciled(
            run_id=self.nights,
            reconciliation=name,
            cut_off=cut_off or at,
            read_at=at,
            period=None,
            checks=checks,
            differences=differences,
            sides=[],
            findings=[],
            totals=[],
            counts={"BALANCE_DRIFT": len(differences)},
        )
        with self.store.database.begin() as connection:
            return self.store.record(connection, replace(found, **changes), at=at)

    def only(self) -> Break:
        """The one break there is."""
        (broken,) = self.breaks.list()
        return broken

    def set_status(self, status: BreakState) -> None:
        """As a person would have."""
        with self.database.begin() as connection:
            connection.execute(update(breaks).values(status=status))

    def moves(self) -> list[tuple[str | None, str]]:
        """Every move of the one break."""
        return [(m.source, m.target) for m in self.breaks.show(self.only().id).moves]


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def test_a_new_difference_opens_a_break(ledger: Ledger) -> None:
    recorded = ledger.night([DRIFT])
    broken = ledger.only()
    assert (recorded.opened, recorded.seen) == (1, 1)
    assert recorded.standing == {broken.identity: broken}
    assert (broken.status, broken.occurrences) == (BreakState.OPEN, 1)
    assert (broken.amount_minor, broken.expected_minor, broken.actual_minor) == (5, 10, 15)
    assert broken.first_seen_at == broken.last_seen_at == START + timedelta(days=1)
    assert ledger.moves() == [(None, "open")]


def test_running_twice_adds_nothing_but_a_sighting(ledger: Ledger) -> None:
    ledger.night([DRIFT])
    recorded = ledger.night([replace(DRIFT, amount_minor=6, actual_minor=16)])
    broken = ledger.only()
    assert (recorded.opened, recorded.reopened, recorded.closed) == (0, 0, 0)
    assert (broken.occurrences, broken.amount_minor, broken.actual_minor) == (2, 6, 16)
    assert broken.last_seen_at - broken.first_seen_at == timedelta(days=1)
    assert ledger.moves() == [(None, "open")]
    seen = ledger.breaks.show(broken.id).sightings
    assert [(each.run_id, each.amount_minor) for each in seen] == [(1, 5), (2, 6)]


def test_recording_a_run_again_changes_nothing(ledger: Ledger) -> None:
    ledger.night([DRIFT, CHAIN])
    before = ledger.breaks.list()
    ledger.record([DRIFT, CHAIN])
    assert ledger.breaks.list() == before


def test_a_later_attempt_may_see_less_than_an_earlier_one(ledger: Ledger) -> None:
    ledger.night([DRIFT, CHAIN])
    ledger.record([DRIFT])
    assert [(b.check, b.status) for b in ledger.breaks.list()] == [
        ("balance", BreakState.OPEN),
        ("chain", BreakState.AUTO_CLOSED),
    ]


def test_a_break_that_a_later_run_no_longer_sees_is_closed(ledger: Ledger) -> None:
    ledger.night([DRIFT])
    recorded = ledger.night([])
    assert recorded.closed == 1
    assert ledger.only().status is BreakState.AUTO_CLOSED
    assert ledger.only().occurrences == 1
    assert ledger.moves() == [(None, "open"), ("open", "auto_closed")]


def test_a_break_that_comes_back_is_the_same_one_reopened(ledger: Ledger) -> None:
    for differences in ([DRIFT], [], [DRIFT]):
        recorded = ledger.night(differences)
    assert (recorded.opened, recorded.reopened) == (0, 1)
    assert (ledger.only().status, ledger.only().occurrences) == (BreakState.OPEN, 2)
    assert ledger.moves()[-1] == ("auto_closed", "open")


@pytest.mark.parametrize(
    ("checks", "name", "moved"),
    [
        (("chain",), "wallets", timedelta()),  # another check
        (("balance",), "others", timedelta()),  # another reconciliation
        (("balance",), "wallets", timedelta(days=-5)),  # an earlier cut-off
    ],
)
def test_a_run_that_would_not_have_seen_a_break_does_not_close_it(
    ledger: Ledger, checks: Sequence[str], name: str, moved: timedelta
) -> None:
    ledger.night([DRIFT])
    ledger.night([], checks=checks, name=name, cut_off=START + timedelta(days=2) + moved)
    assert ledger.only().status is BreakState.OPEN


def test_a_run_with_an_earlier_cut_off_does_not_turn_amounts_back(ledger: Ledger) -> None:
    ledger.night([DRIFT])
    ledger.night([replace(DRIFT, amount_minor=1)], cut_off=START)
    broken = ledger.only()
    assert (broken.amount_minor, broken.occurrences) == (5, 2)
    assert broken.last_cut_off == START + timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "seen", "amount", "then"),
    [
        (BreakState.INVESTIGATING, True, 5, BreakState.INVESTIGATING),
        (BreakState.INVESTIGATING, False, 5, BreakState.AUTO_CLOSED),
        (BreakState.PROPOSED, False, 5, BreakState.PROPOSED),
        (BreakState.APPROVED, True, 5, BreakState.APPROVED),
        (BreakState.APPROVED, False, 5, BreakState.RESOLVED),
        (BreakState.RESOLVED, True, 5, BreakState.OPEN),
        (BreakState.ACCEPTED, True, 5, BreakState.ACCEPTED),
        (BreakState.ACCEPTED, True, 6, BreakState.OPEN),
        (BreakState.ACCEPTED, False, 5, BreakState.ACCEPTED),
    ],
)
def test_what_people_decided_is_kept_until_the_facts_change(
    ledger: Ledger, status: BreakState, seen: bool, amount: int, then: BreakState
) -> None:
    ledger.night([DRIFT])
    ledger.set_status(status)
    ledger.night([replace(DRIFT, amount_minor=amount)] if seen else [])
    assert ledger.only().status is then


def test_what_is_said_of_a_break_is_what_was_seen_last(ledger: Ledger) -> None:
    ledger.night([DRIFT])
    known = replace(DRIFT, severity="low", details={"explained_by": {"DUPLICATE_EXACT": ["4"]}})
    ledger.night([known])
    assert (ledger.only().severity, ledger.only().details) == ("low", known.details)
    ledger.night([DRIFT], cut_off=START)  # of an earlier day: nothing is turned back
    assert ledger.only().severity == "low"
    ledger.night([])
    assert (ledger.only().status, ledger.only().details) == ("auto_closed", known.details)


def test_a_suspicion_that_was_accepted_is_opened_when_it_is_certain(ledger: Ledger) -> None:
    suspect = replace(DRIFT, check="duplicate", code="DUPLICATE_SUSPECT", kind="duplicate")
    ledger.night([suspect], checks=["duplicate"])
    ledger.set_status(BreakState.ACCEPTED)
    ledger.night([replace(suspect, code="DUPLICATE_EXACT")], checks=["duplicate"])
    assert (ledger.only().status, ledger.only().code) == ("open", "DUPLICATE_EXACT")


def test_one_break_seen_twice_in_a_run_is_one_break(ledger: Ledger) -> None:
    assert ledger.night([DRIFT, replace(DRIFT, amount_minor=9)]).seen == 1
    assert ledger.only().amount_minor == 5


def test_an_error_leaves_nothing_of_the_run_behind(ledger: Ledger) -> None:
    with pytest.raises(Exception, match="int"):
        ledger.night([DRIFT, replace(CHAIN, amount_minor=2**70)])
    assert list(ledger.breaks.list()) == []
    assert ledger.store.latest("wallets") is None


def test_identity_is_of_everything_but_the_amount() -> None:
    same = replace(DRIFT, amount_minor=9, severity="high", code="OTHER")
    assert same.identity("wallets") == DRIFT.identity("wallets")
    others = [
        DRIFT.identity("others"),
        replace(DRIFT, check="chain").identity("wallets"),
        replace(DRIFT, wallet="8").identity("wallets"),
        replace(DRIFT, entry="").identity("wallets"),
        replace(DRIFT, entry="null").identity("wallets"),
        replace(DRIFT, currency="KWD").identity("wallets"),
        replace(DRIFT, kind="missing").identity("wallets"),
        replace(DRIFT, wallet='7",null', entry=None).identity("wallets"),
    ]
    assert len({DRIFT.identity("wallets"), *others}) == len(others) + 1


def test_breaks_are_listed_by_filters_the_largest_first(ledger: Ledger) -> None:
    other = replace(DRIFT, wallet="8", currency="KWD", amount_minor=-50)
    ledger.night([DRIFT, CHAIN, other])
    ledger.night([DRIFT, other])

    def wallets(**filters: object) -> list[tuple[str, str]]:
        return [(b.wallet, b.check) for b in ledger.breaks.list(**filters)]  # type: ignore[arg-type]

    assert wallets() == [("8", "balance"), ("7", "balance"), ("7", "chain")]
    assert wallets(status="open") == [("8", "balance"), ("7", "balance")]
    assert wallets(code="CHAIN_BREAK") == [("7", "chain")]
    assert wallets(currency="KWD") == wallets(wallet="8") == [("8", "balance")]
    assert wallets(reconciliation="others") == []
    assert wallets(run_id=2) == [("8", "balance"), ("7", "balance")]
    assert wallets(limit=1, offset=1) == [("7", "balance")]


def test_a_break_as_json_has_the_agreed_fields(ledger: Ledger) -> None:
    ledger.night([CHAIN])
    shown = ledger.only().as_json()
    assert list(shown) == [
        *("id", "identity", "reconciliation", "check", "code", "class", "status", "wallet"),
        *("entry", "currency", "amount_minor", "expected_minor", "actual_minor", "severity"),
        *("first_seen_at", "last_seen_at", "occurrences", "assignee"),
    ]
    assert shown["first_seen_at"] == "2026-11-25T02:00:00.000Z"
    assert shown["status"] == "open"


def test_an_unknown_break_is_told(ledger: Ledger) -> None:
    with pytest.raises(UnknownId, match="no break has the id 9"):
        ledger.breaks.show(9)


def test_what_a_run_found_is_kept(ledger: Ledger) -> None:
    ledger.night([DRIFT], findings=[{"code": "SOURCE_TYPE"}])
    latest = ledger.store.latest("wallets")
    assert latest is not None
    assert latest == ledger.store.of_run(1)
    assert latest["counts"] == {"BALANCE_DRIFT": 1}
    assert latest["findings"] == [{"code": "SOURCE_TYPE"}]
    assert ledger.store.of_run(2) is None


def test_ten_thousand_breaks_are_recorded_in_one_short_transaction(ledger: Ledger) -> None:
    many = [replace(DRIFT, wallet=str(wallet)) for wallet in range(10_000)]
    assert ledger.night(many).opened == 10_000
    assert ledger.night(many[:5_000]).closed == 5_000


def test_a_run_covers_a_period_once_it_succeeded_and_looked_at_its_end(ledger: Ledger) -> None:
    day = timedelta(days=1)

    def covers(start: datetime, end: datetime, name: str = "wallets") -> bool:
        return ledger.store.covering(name, start, end) is not None

    ledger.night([DRIFT], cut_off=START, period=(START - 3 * day, START - 2 * day))
    assert not covers(START - day, START)
    with ledger.database.begin() as connection:
        connection.execute(update(runs).values(state="succeeded"))
    assert covers(START - day, START)
    assert covers(START - 9 * day, START - 8 * day)
    assert not covers(START, START + day)
    assert not covers(START - day, START, "others")


def test_a_run_of_a_later_time_covers_its_own_period(ledger: Ledger) -> None:
    day = timedelta(days=1)
    ledger.night([DRIFT], cut_off=START, period=(START, START + day))
    with ledger.database.begin() as connection:
        connection.execute(update(runs).values(state="succeeded"))
    assert ledger.store.covering("wallets", START, START + day) is not None
    assert ledger.store.covering("wallets", START, START + 2 * day) is None


@pytest.mark.parametrize("code", ["SOURCE_TRUNCATED", "SOURCE_TYPE", "SOURCE_PRECISION"])
def test_a_reading_that_left_rows_out_closes_nothing(ledger: Ledger, code: str) -> None:
    ledger.night([DRIFT])
    assert ledger.night([], findings=[{"code": code}]).closed == 0
    assert ledger.only().status == "open"
    assert ledger.night([]).closed == 1


def test_a_run_that_was_overtaken_by_a_later_reading_closes_and_reopens_nothing(
    ledger: Ledger,
) -> None:
    # Two runs of one cut-off at once: the one that read first is the last to record.
    read_first = START - timedelta(days=1)
    cut_off = START
    ledger.night([DRIFT], cut_off=cut_off)
    assert ledger.night([], cut_off=cut_off, read_at=read_first).closed == 0
    assert ledger.only().status == "open"
    ledger.night([], cut_off=cut_off)
    assert ledger.only().status == "auto_closed"
    assert ledger.night([DRIFT], cut_off=cut_off, read_at=read_first).reopened == 0
    assert ledger.only().status == "auto_closed"


def test_breaks_are_counted_by_their_status(ledger: Ledger) -> None:
    ledger.night([DRIFT, CHAIN])
    ledger.night([DRIFT])
    for status, count in (("open", 1), ("auto_closed", 1), ("accepted", 0)):
        assert ledger.breaks.count(reconciliation="wallets", status=status) == count
    assert ledger.breaks.count(reconciliation="others", status="open") == 0


def test_breaks_that_are_not_closed_are_counted_by_reconciliation(ledger: Ledger) -> None:
    assert BreakStore(ledger.database).open_by_reconciliation() == {}
    ledger.night([DRIFT])
    assert BreakStore(ledger.database).open_by_reconciliation() == {"wallets": 1}
    ledger.night([])
    assert BreakStore(ledger.database).open_by_reconciliation() == {"wallets": 0}
