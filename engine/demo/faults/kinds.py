"""The kinds of fault there are; planting goes through them in this order, again and again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from engine.demo.faults import balances, chains, entries, seconds
from engine.demo.faults.findings import Done
from engine.demo.faults.history import History


@dataclass(frozen=True)
class Kind:
    """A kind of fault: how to plant it, in how many wallets, and how many entries it deletes.

    `plant` returns None when a history does not offer what it needs; another is tried then.
    """

    plant: Callable[..., Done | None]
    wallets: int = 1
    deletes: int = 0

    def spoil(self, histories: list[History], random: Random) -> Done | None:
        """Plant it, if it can be; the histories are of no use when it could not."""
        done = self.plant(*histories, random)
        return done if done and all(history.is_above_zero for history in histories) else None


KINDS: Mapping[str, Kind] = {
    "lost_update": Kind(balances.lost_update),
    "removed": Kind(entries.removed, deletes=1),
    "jump_from": Kind(chains.jump_from),
    "pair_reversed": Kind(seconds.pair_reversed),
    "credited_twice": Kind(balances.credited_twice),
    "two_tills": Kind(seconds.two_tills),
    "no_order": Kind(seconds.no_order),
    "jump_and_back": Kind(chains.jump_and_back),
    "never_credited": Kind(balances.never_credited),
    "booked_twice": Kind(entries.booked_twice),
    "batch_reversed": Kind(seconds.batch_reversed),
    "loop_apart": Kind(seconds.loop_apart),
    "off_by_one": Kind(balances.off_by_one),
    "stale_read": Kind(chains.stale_read),
    "charged_to_another": Kind(balances.charged_to_another, wallets=2),
    "amount_edited": Kind(entries.amount_edited),
    "last_jumps": Kind(chains.last_jumps),
    "refund_first": Kind(seconds.refund_first),
    "credited_in_halalas": Kind(balances.credited_in_halalas),
    "last_removed": Kind(entries.last_removed, deletes=1),
    "wrong_way": Kind(chains.wrong_way),
    "restored": Kind(balances.restored),
}
