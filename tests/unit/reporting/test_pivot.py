"""Pivots add up exactly, whatever the size of the amounts."""

from hypothesis import given
from hypothesis import strategies as st

from engine.reporting.pivot import CodeTotal, Measured, totals_by_code


def rows(*cells: tuple[str, str, int]) -> list[Measured]:
    return [Measured(code=code, currency=money, amount_minor=n) for code, money, n in cells]


def test_nothing_has_no_totals() -> None:
    assert totals_by_code([]) == []


def test_currencies_never_mix_and_pairs_that_do_not_occur_are_left_out() -> None:
    found = totals_by_code(
        rows(("B", "SAR", 5), ("A", "KWD", -7), ("A", "SAR", 1), ("A", "SAR", -2))
    )
    assert found == [
        CodeTotal(code="A", currency="KWD", count=1, net_minor=-7, gross_minor=7),
        CodeTotal(code="A", currency="SAR", count=2, net_minor=-1, gross_minor=3),
        CodeTotal(code="B", currency="SAR", count=1, net_minor=5, gross_minor=5),
    ]


def test_sums_beyond_floats_and_64_bits_are_exact() -> None:
    (total,) = totals_by_code(rows(("A", "SAR", 2**63), ("A", "SAR", 2**53 + 1), ("A", "SAR", -1)))
    assert total.net_minor == 2**63 + 2**53
    assert total.gross_minor == 2**63 + 2**53 + 2


@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.sampled_from(["SAR", "KWD"]), st.integers()),
        max_size=30,
    )
)
def test_it_agrees_with_a_plain_loop(cells: list[tuple[str, str, int]]) -> None:
    plain: dict[tuple[str, str], list[int]] = {}
    for code, currency, amount in cells:
        plain.setdefault((code, currency), []).append(amount)
    found = totals_by_code(rows(*cells))
    assert [(each.code, each.currency) for each in found] == sorted(plain)
    for each in found:
        amounts = plain[each.code, each.currency]
        assert each.count == len(amounts)
        assert each.net_minor == sum(amounts)
        assert each.gross_minor == sum(map(abs, amounts))
