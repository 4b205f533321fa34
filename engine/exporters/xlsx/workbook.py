"""XlsxWriter's workbook: made aside, whole, or gone without a trace if it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO


class _Target:
    """The target, until it fails: then it takes everything and does nothing.

    XlsxWriter leaves its ZIP open when a write fails, and that one would try again to complete
    itself whenever it is collected, long after the target is closed.
    """

    def __init__(self, target: BinaryIO) -> None:
        self._target: BinaryIO = target

    def write(self, data: bytes) -> int:
        try:
            return self._target.write(data)
        except OSError:
            self._target = BytesIO()
            raise

    def seek(self, place: int, whence: int = 0) -> int:
        return self._target.seek(place, whence)

    def tell(self) -> int:
        return self._target.tell()

    def flush(self) -> None:
        self._target.flush()


@contextmanager
def open_workbook(target: BinaryIO, aside: Path) -> Iterator[Any]:
    """A workbook that ends up in `target`; what it needs meanwhile is in the folder `aside`."""
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    workbook = Workbook(
        _Target(target),
        {
            "constant_memory": True,
            "tmpdir": str(aside),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd hh:mm:ss",
        },
    )
    workbook.use_zip64()
    try:
        yield workbook
    except BaseException:
        for sheet in workbook.worksheets():
            sheet.row_data_fh.close()
        raise
    try:
        workbook.close()
    except FileCreateError as error:
        # XlsxWriter hides why the file could not be written; a full disk should say so.
        raise error.args[0] from error
