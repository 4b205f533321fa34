"""What is wrong with an effect: said to the job that asked for it."""

from engine.errors import EngineError


class LeaseLost(EngineError):
    """The attempt is no longer the run's; another one may be under way, so this one must stop."""

    message = "attempt {attempt} of run {run_id} lost its lease; nothing was written"


class OtherRequest(EngineError):
    """A key that was used for one request is used for another one."""

    message = "the effect {key!r} was done for another request; use a key of its own"


class ResultNotJson(EngineError):
    """What an effect returned cannot be stored."""

    message = "the effect {key!r} returned {type}, which is not JSON: {error}"


class EndedTransaction(EngineError):
    """The work ended the transaction that holds it together with its key and its result."""

    message = (
        "the work of the effect {key!r} must not {what}; it is committed with its key and its "
        "result once it returns, or rolled back if it raises"
    )


class NoResult(EngineError):
    """Work committed the key by itself, and nobody knows what else of it."""

    message = (
        "whether the effect {key!r} happened is unknown: its work in run {run_id} ended its own "
        "transaction; look at what it wrote there, then have somebody who may do so change the row "
        "by hand: if it happened UPDATE engine_effects SET result = 'null' WHERE key_hash = "
        "'{hash}' (or the JSON of its result), if not DELETE FROM engine_effects WHERE key_hash = "
        "'{hash}'"
    )


class TookTooLong(EngineError):
    """The work held the only write lock of a SQLite ledger for longer than anybody may wait."""

    message = (
        "the work of the effect {key!r} took longer than {seconds:g} s and was undone: nobody else "
        "can write to a SQLite ledger meanwhile; do less in it, or have the ledger on PostgreSQL"
    )


class EffectUnknown(EngineError):
    """An effect was started and never done: nobody can say here whether it happened."""

    message = (
        "whether the effect {key!r} happened is unknown: attempt {attempt} of run {run_id} started "
        "it; it is not done again before somebody who looked at the other end says so in a review"
    )


class EffectUnconfirmed(EngineError):
    """One of two people who must say so has said that an effect did not happen."""

    message = (
        "whether the effect {key!r} happened is not agreed: {settled_by} said that it did not, and "
        "with ENGINE_FOUR_EYES another user says so too before it is done again: `engine runs "
        "review {run_id}`"
    )


class EffectUnderWay(EngineError):
    """Another attempt that is alive does the same."""

    message = "the effect {key!r} is being done by attempt {attempt} of run {run_id}"


class UnclearCall(EngineError):
    """What an effect is to call can be understood in no way, or in two."""

    message = "the effect {key!r}: {text}"


class NotDone(Exception):
    """Raised by a call of `once` that certainly did nothing at the other end.

    A connection that was refused, a request that was turned down: it may be made again. Whatever
    else a call raises leaves open whether it happened; and it says nothing of a call before it.
    """
