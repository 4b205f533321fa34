"""The protocol of the family: what every exporter promises."""

from typing import BinaryIO, ClassVar, Protocol

from engine.exporters.document import Document


class Exporter(Protocol):
    """Writes a whole document as one file.

    Rows are read as they are written; an exporter that must hold them all says so in `streams`.
    """

    suffix: ClassVar[str]
    media_type: ClassVar[str]
    streams: ClassVar[bool]

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write the whole file and return how many rows of the main table it holds."""
