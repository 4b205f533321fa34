"""The job that every peer carries out: it adds one byte to a file, so that anybody can count."""

import os

FILE = "BENCH_FILE"


def mark() -> None:
    """Next to nothing: a byte at the end of the file, in one system call that mixes with none."""
    file = os.open(os.environ[FILE], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, b".")
    finally:
        os.close(file)
