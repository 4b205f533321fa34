"""Settling, against every order there is."""

import time
from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.reconciliation.edges import Edge
from engine.reconciliation.settle import Gap, Settled, settle

BALANCES = st.one_of(st.integers(0, 3), st.integers(0, 8), st.integers(-50, 50))


@st.composite
def groups(draw: st.DrawFn, most: int = 6) -> list[Edge]:
    """Rows of one instant; few balances, so that they meet."""
    pairs = draw(st.lists(st.tuples(BALANCES, BALANCES), min_size=1, max_size=most))
    return [Edge(entry, pre, post) for entry, (pre, post) in enumerate(pairs)]


STARTS = st.one_of(st.none(), BALANCES)


def cost(settled: Settled) -> tuple[int, int]:
    """Breaks, and their total gap."""
    return len(settled.gaps), sum(abs(gap.actual - gap.expected) for gap in settled.gaps)


def cost_of(start: int | None, order: Sequence[Edge]) -> tuple[int, int]:
    """The same of one order, counted row by row."""
    breaks, total, at = 0, 0, start
    for edge in order:
        if at is not None and edge.pre != at:
            breaks, total = breaks + 1, total + abs(edge.pre - at)
        at = edge.post
    return breaks, total


@settings(max_examples=600, deadline=None)
@given(STARTS, groups())
def test_no_order_has_fewer_breaks_or_as_many_and_a_smaller_gap(
    start: int | None, edges: list[Edge]
) -> None:
    assert cost(settle(start, edges)) == min(cost_of(start, p) for p in permutations(edges))


@settings(max_examples=300, deadline=None)
@given(STARTS, groups(most=12), st.randoms(use_true_random=False))
def test_shuffling_the_rows_changes_nothing(
    start: int | None, edges: list[Edge], random: object
) -> None:
    shuffled = list(edges)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settle(start, shuffled) == settle(start, edges)


@settings(max_examples=300, deadline=None)
@given(BALANCES, groups(most=12))
def test_the_end_is_the_start_moved_by_every_amount_and_every_gap(
    start: int, edges: list[Edge]
) -> None:
    settled = settle(start, edges)
    amounts = sum(edge.post - edge.pre for edge in edges)
    gaps = sum(gap.actual - gap.expected for gap in settled.gaps)
    assert settled.end == start + amounts + gaps


def test_rows_that_chain_in_another_order_are_no_break() -> None:
    assert settle(100, [Edge(1, 70, 50), Edge(2, 100, 70)]) == Settled((), 50)


def test_a_loop_that_touches_the_chain_is_no_break() -> None:
    rows = [Edge(1, 70, 50), Edge(2, 50, 70), Edge(3, 100, 70)]
    assert settle(100, rows) == Settled((), 70)


def test_a_loop_that_touches_no_other_row_is_a_break_at_its_lowest_entry() -> None:
    rows = [Edge(5, 100, 70), Edge(9, 7, 1), Edge(8, 1, 7)]
    assert settle(100, rows).gaps == (Gap(8, 70, 7),)


def test_a_break_is_named_after_the_lowest_entry_of_the_trail_it_starts() -> None:
    rows = [Edge(7, 500, 400), Edge(3, 400, 300), Edge(5, 100, 90)]
    assert settle(100, rows).gaps == (Gap(3, 90, 500),)


def test_the_smaller_gap_wins_among_orders_with_as_many_breaks() -> None:
    # One row after the other costs 10 and 20; the other way round, 40 and 30.
    rows = [Edge(1, 110, 120), Edge(2, 140, 150)]
    assert settle(100, rows).gaps == (Gap(1, 100, 110), Gap(2, 120, 140))


def test_among_equal_orders_the_breaks_lie_at_the_lowest_entries() -> None:
    rows = [Edge(4, 0, 10), Edge(2, 0, 10)]
    assert settle(0, rows).gaps == (Gap(4, 10, 0),)


def test_without_a_start_the_first_row_is_taken_at_its_word() -> None:
    assert settle(None, [Edge(1, 40, 50)]) == Settled((), 50)


def test_entries_may_have_texts_as_ids() -> None:
    rows = [Edge("b", 500, 400), Edge("a", 400, 300)]
    assert settle(100, rows).gaps == (Gap("a", 100, 500),)


def chained(count: int) -> list[Edge]:
    """One long chain; ids are against its direction."""
    return [Edge(count - at, 7 * at % 1009, 7 * (at + 1) % 1009) for at in range(count)]


def scattered(count: int) -> list[Edge]:
    """Rows of which no two meet."""
    return [
        Edge(at, 1000 * at * 7919 % 999_983, 1000 * at * 7919 % 999_983 + 1) for at in range(count)
    ]


def loops(count: int) -> list[Edge]:
    """Loops of two rows each, all apart."""
    pairs = [(100 * at, 100 * at + 50) for at in range(count // 2)]
    there = [Edge(2 * at, low, high) for at, (low, high) in enumerate(pairs)]
    return there + [Edge(2 * at + 1, high, low) for at, (low, high) in enumerate(pairs)]


@pytest.mark.parametrize("make", [chained, scattered, loops])
@pytest.mark.parametrize("start", [0, None])
def test_ten_thousand_rows_of_one_instant_are_settled_at_once(
    make: object, start: int | None
) -> None:
    rows = make(10_000)  # type: ignore[operator]
    began = time.process_time()
    settle(start, rows)
    assert time.process_time() - began < 5


def test_ten_thousand_rows_that_chain_have_no_break() -> None:
    assert settle(0, chained(10_000)).gaps == ()
