"""A ledger that is not there yet: whoever is to run for long waits until it comes."""

import threading

from engine.outage import Outage
from engine.store.database import Database
from engine.store.faults import LedgerShut, LedgerUnreachable


def open_when_there(url: str, stopped: threading.Event) -> Database | None:
    """The ledger, once its server answers; None when `stopped` was set first.

    Raises at once what waiting does not mend: LedgerBehind and LedgerAhead, LedgerShut, and
    LedgerUnreachable of a ledger in a file.
    """
    database = Database(url)
    outage = Outage("the run ledger", database.shown_url)
    while True:
        try:
            database.require_current()
        except LedgerShut:
            raise
        except LedgerUnreachable as error:
            if database.upgrades_itself:
                raise
            outage.lasts(error.facts["error"])
        else:
            outage.ends()
            return database
        if stopped.wait(outage.pause):
            database.dispose()
            return None
