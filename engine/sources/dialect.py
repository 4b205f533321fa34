"""What databases say differently in SQL, of the columns of one query. A dialect is one module.

Whatever is compared is compared byte for byte: `TOPUP` is not `topup`, whatever the database's
own collation says. Nothing is rounded, and no text is taken for a number.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

Due = Literal["whole", "decimal", "fraction", "text"]
"""What a column of a report is due as, where the database itself has no types for columns."""


class Dialect(Protocol):
    """Expressions over columns; a column is named as the query names it."""

    def name(self, column: str) -> str:
        """The column itself, quoted."""

    def key(self, column: str) -> str:
        """An id, a code or an instant as it is, or as text."""

    def text(self, column: str) -> str:
        """The same as text: a number as its digits, bytes in hex."""

    def joined(self, texts: Sequence[str]) -> str:
        """Several texts as one, that differs if any of them does."""

    def is_one_of(self, text: str, values: Collection[str]) -> str:
        """Whether a key or a text is one of `values`, byte for byte."""

    def has_id(self, column: str, ids: Collection[str]) -> str:
        """Whether a column holds one of some ids, in words for which an index will do."""

    def is_whole(self, column: str) -> str:
        """Whether the value is a whole number; never NULL."""

    def amount(self, column: str) -> str:
        """The value as 64 bits, with the least of all numbers for what is no whole number.

        What is no number at all is left as it is.
        """

    def exact(self, column: str) -> str:
        """The value of a whole number, of which sums are exact as well."""

    def whole(self, number: str) -> str:
        """An exact number, which is whole and within 64 bits, as 64 bits."""

    def is_number(self, value: str) -> str:
        """Whether a value may have a minus before it and still be what it is."""

    def sum_of(self, value: str, condition: str) -> str:
        """The sum over the rows of which a condition is true; NULL if there are none."""

    def kind(self, column: str) -> str:
        """What the value is, in the database's own word; `null` if there is none."""

    def as_due(self, query: str, dues: Mapping[str, Due]) -> str:
        """Those columns of a query, in its order, each as it is due or an error, never cast.

        A whole number and a text are as they are; to a database without types for columns a
        number is a text as well, if that is due, but a floating one is no decimal.
        """

    def apart(self, column: str) -> str:
        """A text for GROUP BY: two are one only if their bytes are."""

    def whole_sum(self, column: str) -> Sequence[str]:
        """The exact sum of whole numbers, in two parts: multiples of 2 to the 32nd, and ones."""

    def decimal_sum(self, column: str) -> Sequence[str]:
        """The exact sum of decimals, in three parts: the same two, and billionths."""
