"""Definitions in YAML: what they may say, and where they are wrong."""

from datetime import timedelta
from pathlib import Path

import pytest

from engine.documents.problem import InvalidDocument
from engine.reconciliation.definition import (
    Amount,
    FileRows,
    Floor,
    Plain,
    QueryRows,
    Tolerance,
    Window,
)
from engine.reconciliation.definitions import Definitions, UnknownReconciliation
from engine.sources.catalog import Sources

GOOD = """\
title: {en: Wallets, ar: محافظ}
timezone: Asia/Riyadh
currency: SAR
source: canteen
sides:
  wallets:
    query: SELECT * FROM wallets;
    columns: {wallet: id, opening: opening, balance: balance}
  entries:
    source: bank
    file: entries.csv
    delimiter: ";"
    columns:
      wallet: wallet
      entry: [day, number]
      amount: {plus: [paid_in], minus: [paid_out]}
      posted_at: day
      balance_after: balance
checks:
  balance: {}
  chain: {tolerance: 5}
"""

OWNERS = """\
sides:
  owners: {query: SELECT * FROM students, columns: {owner: id}}
"""
OWNED = "{wallet: id, currency: currency, owner: student_id, floor: floor,"
ALL = """\
chain: {}
  duplicate: {within: 10m}
  orphan: {}
  currency: {}
  negative: {floor: -5000, running: true}"""


def definitions(folder: Path, text: str) -> Definitions:
    """The folder with one definition, `wallets`."""
    (folder / "wallets.yaml").write_text(text, encoding="utf-8")
    sources = {"canteen": "sqlite:///canteen.db", "bank": "file://bank"}
    return Definitions(folder, Sources(sources, folder))


def problems(folder: Path, text: str) -> list[str]:
    """What is wrong with a definition, each with its line."""
    with pytest.raises(InvalidDocument) as caught:
        definitions(folder, text).load("wallets")
    return [f"{each.line}: {each.path}: {each.message}" for each in caught.value.problems]


def test_a_definition_is_read_whole(tmp_path: Path) -> None:
    definition = definitions(tmp_path, GOOD).load("wallets")
    assert (definition.name, definition.title, definition.currency) == ("wallets", "Wallets", "SAR")
    assert definition.checks == {"balance": Tolerance(), "chain": Tolerance(tolerance=5)}
    assert [side.name for side in definition.sides] == ["wallets", "entries"]
    wallets, entries = definition.sides
    assert wallets.rows == QueryRows(query="SELECT * FROM wallets")
    assert (wallets.source, entries.source) == ("canteen", "bank")
    assert isinstance(entries.rows, FileRows)
    assert entries.rows.unit == "major"
    assert entries.amounts["amount"] == Amount(plus=["paid_in"], minus=["paid_out"])
    assert entries.keys["entry"] == ("day", "number")


def test_definitions_are_listed_by_name(tmp_path: Path) -> None:
    assert definitions(tmp_path, GOOD).names() == ["wallets"]


def test_an_unknown_name_is_answered_with_the_closest(tmp_path: Path) -> None:
    with pytest.raises(UnknownReconciliation, match="did you mean 'wallets'"):
        definitions(tmp_path, GOOD).load("walets")
    with pytest.raises(UnknownReconciliation):
        definitions(tmp_path, GOOD).load("../wallets")


def test_every_check_has_its_own_settings(tmp_path: Path) -> None:
    text = GOOD.replace("chain: {tolerance: 5}", ALL).replace("{wallet: id,", OWNED)
    text = text.replace("sides:\n", OWNERS)
    definition = definitions(tmp_path, text).load("wallets")
    assert definition.checks == {
        "balance": Tolerance(),
        "chain": Tolerance(),
        "duplicate": Window(within=timedelta(minutes=10)),
        "orphan": Plain(),
        "currency": Plain(),
        "negative": Floor(floor=-5000, running=True),
    }
    assert [side.name for side in definition.sides] == ["owners", "wallets", "entries"]
    assert definition.window == timedelta(minutes=10)


def test_settings_have_defaults_that_a_finance_team_would_accept(tmp_path: Path) -> None:
    text = GOOD.replace("chain: {tolerance: 5}", "duplicate: {}\n  negative: {}")
    checks = definitions(tmp_path, text).load("wallets").checks
    assert checks["duplicate"] == Window(within=timedelta(seconds=60))
    assert checks["negative"] == Floor(floor=0, running=False)


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ("duplicat: {}", "21: checks.duplicat: unknown key 'duplicat'; did you mean 'duplicate'"),
        ("duplicate: {with: 60s}", "21: checks.duplicate.with: unknown key 'with'"),
        ("duplicate: {within: 60}", "a unit is missing: 60s or 60m?"),
        ("duplicate: {within: 60 s}", "21: checks.duplicate.within: must be a length of time"),
        ("duplicate: {tolerance: 1}", "21: checks.duplicate.tolerance: unknown key 'tolerance'"),
        ("orphan: {tolerance: 1}", "21: checks.orphan.tolerance: unknown key 'tolerance'"),
        ("negative: {floor: 0.5}", "21: checks.negative.floor: must be a whole number"),
        ("negative: {runing: true}", "unknown key 'runing'; did you mean 'running'"),
        ("currency: {}", "21: checks.currency: `currency` needs sides.entries.columns.currency"),
    ],
)
def test_a_setting_that_means_nothing_is_told_where_it_is(
    tmp_path: Path, check: str, problem: str
) -> None:
    told = problems(tmp_path, GOOD.replace("chain: {tolerance: 5}", check))
    assert any(problem in each for each in told), told


WITHOUT_WALLETS = """\
title: Entries
currency: SAR
source: canteen
stored: balance
sides:
  entries: {query: SELECT 1, columns: {wallet: w, amount: a, balance_after: b}}
checks:
  CHECK
"""


@pytest.mark.parametrize(
    ("check", "needs"),
    [
        ("duplicate: {}", "`duplicate` needs sides.entries.columns.posted_at: map the column"),
        ("duplicate: {}", "`duplicate` needs sides.entries.columns.entry: map the column"),
        ("orphan: {}", "`orphan` needs sides.wallets: map the wallets"),
        ("orphan: {}", "`orphan` needs sides.entries.columns.entry"),
        ("currency: {}", "`currency` needs sides.wallets: map the wallets"),
        ("negative: {}", "`negative` needs sides.wallets.columns.balance: map it, or say"),
        ("negative: {running: true}", "`negative` needs sides.entries.columns.posted_at"),
    ],
)
def test_what_a_check_needs_and_nobody_mapped_is_told_at_the_check(
    tmp_path: Path, check: str, needs: str
) -> None:
    told = problems(tmp_path, WITHOUT_WALLETS.replace("CHECK", check))
    assert any(f"8: checks.{check.partition(':')[0]}: {needs}" in each for each in told), told


def test_owners_and_the_wallets_column_for_them_need_each_other(tmp_path: Path) -> None:
    asking = GOOD.replace("chain: {tolerance: 5}", "orphan: {}")
    (told,) = problems(tmp_path, asking.replace("{wallet: id,", OWNED))
    assert "`orphan` needs sides.owners, because the wallets map `owner`" in told
    (told,) = problems(tmp_path, asking.replace("sides:\n", OWNERS))
    assert "`orphan` needs sides.wallets.columns.owner" in told
    told = " ".join(problems(tmp_path, GOOD.replace("sides:\n", OWNERS)))
    assert "sides.owners: nothing asks for owners; ask for the check `orphan`" in told


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("currency: SAR", "currency: sar", "3: currency: "),
        ("Asia/Riyadh", "Asia/Riad", "2: timezone: no timezone is named 'Asia/Riad'"),
        ("file: entries.csv", "fil: entries.csv", "11: sides.entries.fil: unknown key 'fil'"),
        ("source: bank", "source: banc", "10: sides.entries.source: no source is named 'banc'"),
        ("source: bank", "source: canteen", "11: sides.entries.file: 'canteen' is a database"),
        ("source: canteen", "source: bank", "7: sides.wallets.query: 'bank' is a folder"),
        ("source: canteen\n", "", "sides.wallets has no `source`"),
        ("tolerance: 5", "tolerance: -5", "21: checks.chain.tolerance: must be at least 0"),
        ("tolerance: 5", "tolerance: 0.5", "21: checks.chain.tolerance: must be a whole number"),
        ("  chain: {tolerance: 5}\n", "  chains: {}\n", "21: checks.chains: unknown key 'chains'"),
        ("  balance: {}\n  chain: {tolerance: 5}\n", "  {}\n", "ask for at least one check"),
        ("      posted_at: day\n", "", "following balances needs sides.entries.columns.posted_at"),
        (", balance: balance}", "}", "`stored: balance` needs sides.wallets.columns.balance"),
        ("    file: entries.csv\n", "", "say where the rows are"),
        ("    query: SELECT", "    unit: major\n    query: SELECT", "`unit: major` is for files"),
        ("    delimiter: \";\"", "    header: false", "needs its columns as `names`"),
        ("checks:", "sign: {column: t, plus: [a], minus: [a]}\nchecks:", "'a' is on both lists"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_is(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    assert old in GOOD
    told = problems(tmp_path, GOOD.replace(old, new, 1))
    assert any(problem in each for each in told), told


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("currency: SAR", "currency: 7").replace("tolerance: 5", "tolerance: x")
    assert len(problems(tmp_path, text)) == 2


def test_the_projects_own_definitions_are_right() -> None:
    folder = Path(__file__).parents[3] / "reconciliations"
    known = Definitions(folder, Sources({"canteen": "sqlite:///canteen.db"}, folder))
    for name in known.names():
        assert known.load(name).checks
