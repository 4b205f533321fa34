"""Rows alone are written without loading pandas: 40 MB and a third of a second."""

import subprocess
import sys

import pytest

_WRITE = """
import io, sys
import numpy as np, pyarrow as pa
from engine.exporters.arrays import array_of, texts_of
from engine.exporters.batches import Batches, arrow_schema
from engine.exporters.document import Column, Document, Kind, Table
from engine.exporters.formats import EXPORTERS
from engine.clock import SystemClock

columns = [
    Column(name="name", title="Name"),
    Column(name="currency", title="Currency"),
    Column(name="paid", title="Paid", kind=Kind.MONEY, currency_column="currency"),
    Column(name="fee", title="Fee", kind=Kind.MONEY, currency="SAR"),
    Column(name="at", title="At", kind=Kind.DATETIME),
]
names, codes = texts_of(['a "b", c', None, ""]), texts_of(["SAR", "KWD", None])
many = array_of(np.array([-1, 2, 3]))
instants = many.view(pa.timestamp("us", "UTC"))
arrays = [names, codes, many, many, instants]
batch = pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(columns))
table = Table(name="t", title="T", columns=columns, rows=Batches(lambda: [batch]))
document = Document(
    title="T", made_at=SystemClock().now(), timezone="Asia/Riyadh", tables=[table]
)
assert EXPORTERS[sys.argv[1]].write(document, io.BytesIO()) == 3
assert "pandas" not in sys.modules, "loads pandas"
"""


@pytest.mark.parametrize("name", ["csv", "csv-excel", "jsonl", "parquet"])
def test_batches_are_written_without_pandas(name: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", _WRITE, name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
