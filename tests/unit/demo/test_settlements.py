"""What the gateways settled: all that was paid, less what they keep."""

from pathlib import Path

from tests.builders.world import a_world, rows_of

_TOPPED_UP = """
SELECT substr(reference, 1, instr(reference, '-') - 1) AS gateway,
       date(posted_at, '+3 hours') AS day, count(*) AS payments, sum(amount_minor) AS gross_minor
FROM entries WHERE type = 'topup' GROUP BY 1, 2 ORDER BY 2, 1
"""
_SETTLED = "SELECT gateway, day, payments, gross_minor FROM settlements ORDER BY day, gateway"


def test_a_batch_is_what_was_paid_through_a_gateway_on_a_day(tmp_path: Path) -> None:
    world = a_world(tmp_path, wallets=60, entries=900, faults=0)
    assert rows_of(world, _SETTLED) == rows_of(world, _TOPPED_UP)


def test_a_fee_and_its_tax_are_whole_halalas_taken_off(tmp_path: Path) -> None:
    world = a_world(tmp_path, wallets=60, entries=900, faults=0)
    batches = rows_of(
        world, "SELECT * FROM settlements b JOIN gateways g ON g.code = b.gateway ORDER BY b.id"
    )
    for batch in batches:
        fee = (batch["gross_minor"] * batch["fee_basis_points"] + 5_000) // 10_000
        tax = (fee * 15 + 50) // 100
        assert (batch["fee_minor"], batch["vat_minor"]) == (fee, tax)
        assert batch["net_minor"] == batch["gross_minor"] - fee - tax
        assert batch["settled_on"] > batch["day"]
    assert batches
