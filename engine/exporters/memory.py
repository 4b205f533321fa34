"""Arrow's memory while a file is written."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lean_memory() -> Iterator[None]:
    """What Arrow frees goes back to the system: its own pool keeps tens of megabytes for later.

    That costs no time here, where every batch is as large as the one before it.
    """
    import pyarrow as pa

    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)
