"""Runs at rest: booked, taken, held while they are carried out; `run_endings` has how they end."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, select, update

from engine.limits import LimitGroup, Limits
from engine.store.bookings import book
from engine.store.claiming import GroupOf, claim, take
from engine.store.endings import held, is_of
from engine.store.instant import database_now
from engine.store.limits import release, release_all
from engine.store.run import Claim, ClaimedRun, NewRun, Run
from engine.store.run_acts import note_booking
from engine.store.run_endings import RunEndings
from engine.store.tables import runs


class RunStore(RunEndings):
    """The runs of one ledger. A lease lasts `lease` from each renewal, by the database's clock."""

    def book(self, new: NewRun, *, to_be_rung: bool = False) -> tuple[Run, bool]:
        """Write the run down; False beside the one that was booked before, if any.

        That has the same key, or the same firing; or it has the same unique key and has not ended.
        Raises DuplicateRun instead of that if the run says so. A firing that is a duplicate, or
        overlaps an unfinished run of its schedule, is booked as skipped.

        With `to_be_rung` a run that is due is noted as rung for: the caller does so at once, or
        says that it was `not_rung`.
        """
        with self.database.begin() as connection:
            run, is_new = book(connection, new, to_be_rung=to_be_rung)
            if is_new:
                note_booking(connection, new, run)
        return run, is_new

    def book_within(self, connection: Connection, new: NewRun) -> tuple[Run, bool]:
        """`book`, in the caller's transaction."""
        return book(connection, new)

    def take(self, run_id: int, worker: str, group_of: GroupOf) -> ClaimedRun | None:
        """Take the run that a ring for this one calls; None if there is none.

        That is the first of its queue that is ready: the highest priority, then who was ready
        first. `group_of` says with whom a run shares limits, by its job; one that they do not let
        start is blocked until `release`. A power cut may undo it until `secure`.
        """
        return take(self.database, run_id, worker, lease=self.lease, group_of=group_of)

    def claim(self, run_id: int, worker: str, group: LimitGroup | None = None) -> Claim | None:
        """Take this run; None if it is not ready, already taken, ended, or must wait its turn.

        Of the runs that one more crash would quarantine, a worker carries out one at a time: what
        kills it takes the others along, and they are not to blame.
        """
        found = self._many(select(runs).where(runs.c.id == run_id))
        if not found:
            return None
        claimed = claim(self.database, found[0], worker, lease=self.lease, group=group)
        return claimed.claim if claimed else None

    def secure(self, claim: Claim, *, unguarded: bool = False) -> bool:
        """Have the claim survive a power cut: for a run that must not be repeated after one.

        One that is `unguarded` goes to review unless it succeeds, however this attempt ends. False
        if the lease was lost.
        """
        if unguarded:
            with self.database.begin() as connection:
                noted = update(runs).where(held(claim)).values(unguarded=True)
                return connection.execute(noted).rowcount == 1
        return not self.database.may_forget or bool(self.renew([claim]))

    def release(self, group: LimitGroup) -> Sequence[Run]:
        """Let as many blocked runs of a group try as may start now; the caller rings for them."""
        return release(self.database, group)

    def release_all(self, limits: Mapping[str, Limits]) -> None:
        """`release` in every group, by the limits of each job; those released are due again."""
        release_all(self.database, limits)

    def renew(self, claims: Collection[Claim]) -> Collection[Claim]:
        """Renew the leases; returns the claims that still hold. An ended lease stays ended."""
        held = []
        with self.database.begin() as connection:
            # Runs are locked in the order of their ids everywhere: nobody waits in a circle.
            for claim in sorted(claims, key=lambda claim: claim.run_id):
                renewed = connection.execute(
                    update(runs)
                    .where(is_of(claim), runs.c.lease_until > database_now())
                    .values(lease_until=database_now(self.lease))
                )
                if renewed.rowcount == 1:
                    held.append(claim)
        return held

    def progress(self, claim: Claim, done: int, total: int | None, note: str | None) -> bool:
        """Note how far the attempt is; False if the lease was lost."""
        values = {"progress_done": done, "progress_total": total, "progress_note": note}
        with self.database.begin(lasting=False) as connection:
            return connection.execute(update(runs).where(is_of(claim)).values(values)).rowcount == 1

    def allow(self, claim: Claim, attempts: int) -> bool:
        """Settle how many attempts the run has in all; False if the lease was lost."""
        with self.database.begin() as connection:
            allowed = update(runs).where(is_of(claim)).values(attempts_allowed=attempts)
            return connection.execute(allowed).rowcount == 1

    def rung(self, run_ids: Iterable[int]) -> None:
        """Note that the queue was told of these runs."""
        told = select(runs.c.id).where(runs.c.id.in_(list(run_ids))).order_by(runs.c.id)
        in_order = told.with_for_update(key_share=True)
        with self.database.begin(lasting=False) as connection:
            connection.execute(
                update(runs).where(runs.c.id.in_(in_order)).values(rung_at=database_now())
            )

    def not_rung(self, run_id: int) -> None:
        """The queue could not be told of this run after all: the sweep tells it soon."""
        with self.database.begin(lasting=False) as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(rung_at=None))
