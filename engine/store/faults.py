"""Why a ledger cannot be used; every command that needs it ends with one of these lines."""

from engine.errors import Invalid, Unreachable


class LedgerUnreachable(Unreachable):
    """The run ledger does not answer, or refuses to be used now."""

    message = "the run ledger {url} cannot be used: {error}"


class LedgerShut(LedgerUnreachable):
    """The server of the run ledger answers, and does not let us in."""

    message = "the run ledger {url} does not let us in: {error}; correct ENGINE_DATABASE_URL"


class LedgerAhead(Unreachable):
    """The ledger was upgraded by a newer version, whose tables this one does not know."""

    message = "the run ledger {url} is at revision {found}, made by a newer version than this"


class LedgerBehind(Unreachable):
    """The ledger is many processes' and was not upgraded for this version yet."""

    message = (
        "the run ledger {url} {found}, and this version needs revision {wanted}; "
        "run `engine database upgrade`"
    )


class MissingDriver(Invalid):
    """The ledger is on PostgreSQL and its client is not installed."""

    message = "a postgresql:// ledger needs the psycopg package; run `pip install engine[postgres]`"
