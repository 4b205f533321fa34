"""Held claims: renewed while the ledger answers, killed before another worker may have the run."""

import threading
from datetime import timedelta

import pytest

from engine.clock import elapsed
from engine.execution.claims import HeldClaims, attempt_id
from engine.execution.orders import StopReason
from engine.store.database import LedgerUnreachable
from engine.store.run import Claim
from engine.store.runs import RunStore
from tests.builders.booking import a_claim, let_leases_run_out


class Stops:
    """Remembers which attempts were to be stopped, and which to go on."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, StopReason]] = []
        self.prolonged: dict[str, timedelta] = {}

    def __call__(self, attempt: str, reason: StopReason) -> bool:
        self.asked.append((attempt, reason))
        return True


@pytest.fixture
def stops() -> Stops:
    """Nothing yet."""
    return Stops()


@pytest.fixture
def claims(runs: RunStore, stops: Stops) -> HeldClaims:
    """A worker's claims: none yet."""
    return HeldClaims(runs, stops, stops.prolonged.__setitem__)


def a_held_claim(runs: RunStore, claims: HeldClaims, age: float = 0.0) -> Claim:
    """A claim made this long ago, by the worker's own clock."""
    claim = a_claim(runs)
    claims.add(claim, elapsed() - age)
    return claim


def test_a_beat_renews_every_lease(runs: RunStore, claims: HeldClaims, stops: Stops) -> None:
    held = [a_held_claim(runs, claims, age=9) for _ in range(3)]
    assert claims.fuse(held[0]) < timedelta()
    claims.beat()
    claims.fence()
    assert sorted(claims.all(), key=lambda claim: claim.run_id) == held
    assert stops.asked == []
    assert set(stops.prolonged) == {attempt_id(claim) for claim in held}
    for fuse in (*stops.prolonged.values(), claims.fuse(held[0])):
        assert timedelta(seconds=5) < fuse <= runs.lease * 2 / 3


def test_a_beat_without_claims_asks_nobody(
    claims: HeldClaims, runs: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "renew", None)
    claims.beat()


def test_an_attempt_whose_lease_ran_out_is_killed(
    runs: RunStore, claims: HeldClaims, stops: Stops
) -> None:
    lost = a_held_claim(runs, claims)
    let_leases_run_out(runs.database)
    a_held_claim(runs, claims)
    claims.beat()
    assert stops.asked == [(attempt_id(lost), StopReason.LEASE_LOST)]
    assert attempt_id(lost) not in stops.prolonged


def test_an_attempt_that_is_over_is_left_alone(
    runs: RunStore, claims: HeldClaims, stops: Stops
) -> None:
    claim = a_held_claim(runs, claims)
    claims.remove(claim)
    claims.remove(claim)
    let_leases_run_out(runs.database)
    claims.beat()
    claims.fence()
    assert stops.asked == []


def test_what_cannot_be_renewed_for_two_thirds_of_its_lease_is_killed(
    runs: RunStore, claims: HeldClaims, stops: Stops, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = a_held_claim(runs, claims, age=7)
    a_held_claim(runs, claims, age=6)

    def unreachable(_: object) -> None:
        raise LedgerUnreachable(url="sqlite://", error="locked")

    monkeypatch.setattr(runs, "renew", unreachable)
    claims.beat()
    claims.fence()
    assert runs.lease.total_seconds() == 10
    assert stops.asked == [(attempt_id(late), StopReason.LEASE_LOST)]


def test_a_ledger_that_hangs_keeps_nobody_from_killing(
    runs: RunStore, claims: HeldClaims, stops: Stops, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = a_held_claim(runs, claims, age=7)
    answer = threading.Event()
    asked = threading.Event()

    def hang(_: object) -> list[Claim]:
        asked.set()
        assert answer.wait(10)
        return [late]

    monkeypatch.setattr(runs, "renew", hang)
    beat = threading.Thread(target=claims.beat)
    beat.start()
    assert asked.wait(10)
    claims.fence()
    assert stops.asked == [(attempt_id(late), StopReason.LEASE_LOST)]
    answer.set()
    beat.join(10)
