"""Ledgers as the store's own contract suite has them."""

from tests.contracts.store.conftest import database as database
from tests.contracts.store.conftest import postgres_ledger as postgres_ledger
from tests.contracts.store.conftest import runs as runs
