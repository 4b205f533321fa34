"""The kinds of fault there are; planting goes through them in this order, again and again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from engine.demo.faults import balances, chains, copies, entries, overdrafts, seconds, strays
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
    overdraws: bool = False

    def spoil(self, histories: list[History], random: Random) -> Done | None:
        """Plant it, if it can be; the histories are of no use when it could not."""
        done = self.plant(*histories, random)
        if done is None or not (self.overdraws or all(each.is_above_zero for each in histories)):
            return None
        return done if _stands_alone(done, histories) else None


def _stands_alone(done: Done, histories: list[History]) -> bool:
    """Whether no rows look repeated but those that are meant to."""
    planted: dict[str, set[int]] = {"DUPLICATE_EXACT": set(), "DUPLICATE_SUSPECT": set()}
    for expected in done.expected:
        if expected.code in planted:
            planted[expected.code].add(int(expected.entry or 0))
    copies = {entry for history in histories for entry in history.copies}
    suspects = {entry for history in histories for entry in history.suspects}
    return [*planted.values()] == [copies, suspects]


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
    "stored_twice": Kind(copies.stored_twice),
    "to_no_wallet": Kind(strays.to_no_wallet),
    "in_another_currency": Kind(strays.in_another_currency),
    "overdrawn": Kind(overdrafts.overdrawn, overdraws=True),
    "moved_twice": Kind(copies.moved_twice),
    "student_deleted": Kind(strays.student_deleted),
    "tapped_twice": Kind(copies.tapped_twice),
    "hungry": Kind(copies.hungry),
    "taken_from_its_wallet": Kind(strays.taken_from_its_wallet),
    "taken_for_riyals": Kind(strays.taken_for_riyals),
    "paid_out_twice": Kind(overdrafts.paid_out_twice, overdraws=True),
    "called_back_twice": Kind(copies.called_back_twice),
    "returned_at_once": Kind(copies.returned_at_once),
    "opened_for_nobody": Kind(strays.opened_for_nobody),
    "in_small_letters": Kind(strays.in_small_letters),
    "emptied": Kind(overdrafts.emptied),
}
