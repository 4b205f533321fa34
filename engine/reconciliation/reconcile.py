"""Reconciling: read the sides in one snapshot, stage, check, prove the totals."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from engine.clock import Clock
from engine.errors import Invalid
from engine.reconciliation.causes import first_causes
from engine.reconciliation.chains import Chains, follow
from engine.reconciliation.checks.catalog import CHECKS
from engine.reconciliation.checks.check import Answer, Material
from engine.reconciliation.copies import find_copies
from engine.reconciliation.currencies import Spellings, tidy_currencies
from engine.reconciliation.definition import Definition, Settings
from engine.reconciliation.definitions import Definitions
from engine.reconciliation.holdings import join_holdings
from engine.reconciliation.lanes import add_up
from engine.reconciliation.marks import read_marks
from engine.reconciliation.narration import say_start
from engine.reconciliation.proofs import Proofs, expect_proofs
from engine.reconciliation.result import Finding, Result
from engine.reconciliation.snapshots import Snapshots, open_snapshots
from engine.reconciliation.staged_side import StagedSide, Totals
from engine.reconciliation.staging import Staging, open_staging
from engine.reconciliation.stored import find_stored
from engine.reconciliation.strays import find_strays
from engine.reconciliation.totals import tie_out
from engine.redaction.hiding import hidden
from engine.sources.instants import micros
from engine.store.difference import Difference

Progress = Callable[[int, int, str], None]
Period = tuple[datetime, datetime]

_STEPS = 5


class DoubledWallet(Invalid):
    """The wallets side gives one wallet more than once, so nobody knows which balance is meant."""

    message = (
        "side wallets of {name!r} gives wallet {wallet} in {currency} {count} times; "
        "one row for each wallet and currency is due"
    )


class Reconciler:
    """Carries out reconciliations by name; `recording` keeps what they found.

    `memory_limit` is DuckDB's; past it, rows spill into `scratch`.
    """

    def __init__(
        self,
        *,
        definitions: Definitions,
        clock: Clock,
        memory_limit: str = "1GB",
        threads: int = 2,
        scratch: Path | None = None,
    ) -> None:
        self.definitions = definitions
        self.clock = clock
        self._staging = {"memory_limit": memory_limit, "threads": threads, "scratch": scratch}

    def find(
        self,
        name: str,
        *,
        cut_off: datetime | None = None,
        period: Period | None = None,
        progress: Progress | None = None,
    ) -> Result:
        """Reconcile up to `cut_off` (else the end of `period`, else now); nothing is recorded."""
        definition = self.definitions.load(name)
        tell = progress or _silent
        read_at = self.clock.now()
        cut_off = cut_off or (period[1] if period else read_at)
        say_start(definition.name, cut_off)
        with (
            open_snapshots(definition, self.definitions.sources) as snapshots,
            open_staging(
                zone=definition.timezone,
                on_disk=definition.staging == "disk",
                **self._staging,  # type: ignore[arg-type]
            ) as staging,
        ):
            staged, proofs = [], None
            for side in definition.sides:
                tell(int(side is definition.entries), _STEPS, f"reading {side.name}")
                if side is definition.entries:
                    proofs = expect_proofs(definition, staging, cut_off=micros(cut_off))
                staged.append(snapshots.stage(side, staging, proofs))
            _agree_on_ids(definition, staging)
            spellings = tidy_currencies(definition, staging)
            _require_single_wallets(definition, staging)
            tell(2, _STEPS, "comparing")
            # The source adds up its totals while the rows it gave are compared.
            with ThreadPoolExecutor(max_workers=1) as beside:
                asked = beside.submit(_ask_totals, snapshots, staged, spellings)
                chains = _compare(definition, snapshots, staging, micros(cut_off), proofs)
                tell(3, _STEPS, "proving the control totals")
                totals = tie_out(definition, staging, asked.result())
            tell(4, _STEPS, "listing differences")
            material = Material(
                definition=definition, staging=staging, chains=chains, cut_off=micros(cut_off)
            )
            answers = [CHECKS[check](material, settings) for check, settings in _asked(definition)]
            differences = first_causes(each for answer in answers for each in answer.differences)
            tell(_STEPS, _STEPS, "done")
            return Result(
                reconciliation=definition.name,
                title=definition.title,
                timezone=definition.timezone,
                cut_off=cut_off,
                period=period,
                read_at=read_at,
                sides=[one.read for one in staged],
                findings=_first_things_first(staged),
                totals=totals,
                checks=[check for check, _ in _asked(definition)],
                differences=differences,
                counts=_counts(differences, answers),
            )


def _silent(done: int, total: int, note: str) -> None:
    """Nobody is watching."""


def _asked(definition: Definition) -> Sequence[tuple[str, Settings]]:
    return sorted(definition.checks.items())


def _ask_totals(
    snapshots: Snapshots, staged: Sequence[StagedSide], spellings: Spellings
) -> dict[str, Totals]:
    return {
        one.side.name: spellings.merged(snapshots.totals(one, spellings.codes)) for one in staged
    }


def _compare(
    definition: Definition,
    snapshots: Snapshots,
    staging: Staging,
    cut_off: int,
    proofs: Proofs | None,
) -> Chains:
    add_up(definition, staging, cut_off=cut_off, proofs=proofs)
    join_holdings(definition, staging)
    if "duplicate" in definition.checks:

        def read(columns: Sequence[str]) -> None:
            read_marks(snapshots, definition.entries, columns, staging)

        find_copies(definition, staging, cut_off=cut_off, read_marks=read)
    if {"orphan", "currency"} & {*definition.checks}:
        find_strays(definition, staging, cut_off=cut_off)
    chains = follow(definition, staging, cut_off=cut_off) if definition.follows else Chains()
    find_stored(definition, staging)
    return chains


def _agree_on_ids(definition: Definition, staging: Staging) -> None:
    """Ids are whole numbers where every one of them is, on both sides; else text."""
    _agree(staging, [(side.name, "wallet") for side in definition.sides if "wallet" in side.keys])
    if definition.owners is not None:
        _agree(staging, [("owners", "owner"), ("wallets", "owner")])
    if "entry" in definition.entries.keys and definition.names_entries:
        staging.number("entries", "entry")
    if definition.follows and definition.ordered:
        staging.number("entries", "order")
    if definition.wallets is not None and "currency" not in definition.wallets.keys:
        staging.run(f"ALTER TABLE wallets ADD currency VARCHAR DEFAULT '{definition.currency}'")


def _agree(staging: Staging, columns: Sequence[tuple[str, str]]) -> None:
    numbers = [staging.number(table, column) for table, column in columns]
    if not all(numbers):
        for table, column in columns:
            if staging.kind(table, column) != "VARCHAR":
                staging.as_text(table, column)


def _require_single_wallets(definition: Definition, staging: Staging) -> None:
    if definition.wallets is None or staging.are_single("wallets", "wallet"):
        return
    doubled = staging.rows(
        "SELECT wallet, any_value(currency), count(*) FROM wallets "  # noqa: S608
        f"GROUP BY {definition.lane} HAVING count(*) > 1 ORDER BY {definition.lane} LIMIT 1"
    )
    for wallet, currency, count in doubled:
        raise DoubledWallet(name=definition.name, wallet=wallet, currency=currency, count=count)


def _first_things_first(staged: Sequence[StagedSide]) -> Sequence[Finding]:
    """A cut file is said before anything else: every number after it is about half the rows.

    What a finding repeats of a row, or of a driver's words, is without secrets.
    """
    findings = [
        replace(finding, message=hidden(finding.message))
        for one in staged
        for finding in one.findings
    ]
    return sorted(findings, key=lambda finding: finding.code != "SOURCE_TRUNCATED")


def _counts(differences: Sequence[Difference], answers: Sequence[Answer]) -> dict[str, int]:
    counts = Counter(each.code for each in differences)
    for answer in answers:
        counts.update(answer.information)
    return dict(sorted(counts.items()))
