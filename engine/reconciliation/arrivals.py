"""Arrivals: the entries that one reader gives, each beside the one of its lane before it.

Of a lane only the first and the last entry are remembered, and nothing is sorted but each batch.
"""

from typing import Any

_NEVER = -(2**61)  # instants are nearer to 1970 than this, or their distance would have no room
_FEW = 1_000  # entries that may not go on, beside an eighth of all


class Arrivals:
    """What came of wallets numbered from `least`, as many as `size`; of `strangers` only the id.

    An entry goes on from the one before it if its balance does, and if it is later by more than
    `apart` microseconds. A lane is in `doubt` if one does not, or is not earlier than `until`.
    """

    def __init__(self, least: int, size: int, *, apart: int, until: int) -> None:
        import numpy as np

        self._least, self._apart, self._until = least, apart, until
        # What is asked for together lies together: most of the work is to reach it in memory.
        lanes = np.full((size, 4), _NEVER)
        self.last_at, self.last_after, self.first_at, self.first_pre = lanes.T
        self.doubt = np.zeros(size, bool)
        self.strangers: set[int] = set()
        self.currencies: set[str] = set()
        self.rows = 0
        self.given_up = False
        self._stray = 0

    @property
    def came(self) -> Any:
        """Whether there was any entry of each wallet."""
        return self.last_at != _NEVER

    def look(self, batch: Any) -> None:
        """Take in the next entries, unless they are of a kind that proves nothing."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if any(column.null_count for column in batch.columns):
            self.given_up = True
            return
        wallet, at, amount, after = (
            batch[name].cast(pa.int64()).to_numpy()
            for name in ("wallet", "posted_at", "amount", "balance_after")
        )
        if "currency" in batch.schema.names:
            self.currencies.update(pc.unique(batch["currency"]).to_pylist())
        strange = (wallet < self._least) | (wallet >= self._least + len(self.doubt))
        if strange.any():
            self.strangers.update(wallet[strange].tolist())
            known = ~strange
            wallet, at, amount, after = wallet[known], at[known], amount[known], after[known]
        self.rows += len(batch)
        self._stray += int(np.count_nonzero(strange))
        if len(at) and not _NEVER < at.min() <= at.max() < -_NEVER:
            self.given_up = True
        elif len(at):
            self._add(wallet - self._least, at, amount, after)
        self.given_up |= len(self.currencies) > 1 or self._stray > _FEW + self.rows // 8

    def _add(self, wallet: Any, at: Any, amount: Any, after: Any) -> None:
        import numpy as np

        # Lane and place as one number, which is sorted much faster than one by the other.
        size = len(wallet)
        bits = size.bit_length()
        keys = wallet << bits
        keys |= np.arange(size)
        keys.sort()
        order, lane = keys & ((1 << bits) - 1), keys >> bits
        at, after = at[order], after[order]
        pre = after - amount[order]
        starts = np.flatnonzero(np.diff(lane, prepend=-1))
        ends = np.append(starts[1:], size) - 1
        here = lane[starts]
        before_at, before_after = np.roll(at, 1), np.roll(after, 1)
        before_at[starts] = came_at = self.last_at[here]
        before_after[starts] = self.last_after[here]
        goes_on = (before_after == pre) & (at - before_at > self._apart)
        new = came_at == _NEVER
        firsts, lanes = starts[new], here[new]
        goes_on[firsts] = True
        self.first_at[lanes], self.first_pre[lanes] = at[firsts], pre[firsts]
        self.last_at[here], self.last_after[here] = at[ends], after[ends]
        doubtful = lane[~goes_on | (at >= self._until)]
        self.doubt[doubtful] = True
        self._stray += len(doubtful)

    def go_on(self, later: "Arrivals") -> None:
        """Add what another reader gave of the entries that come behind ours."""
        ours, theirs = self.came, later.came
        goes_on = self.last_after == later.first_pre
        goes_on &= later.first_at - self.last_at > self._apart
        self.doubt |= later.doubt | (ours & theirs & ~goes_on)
        self.first_at[~ours], self.first_pre[~ours] = later.first_at[~ours], later.first_pre[~ours]
        self.last_at[theirs] = later.last_at[theirs]
        self.last_after[theirs] = later.last_after[theirs]
        self.strangers |= later.strangers
        self.currencies |= later.currencies
        self.rows += later.rows
        self.given_up |= later.given_up or len(self.currencies) > 1
