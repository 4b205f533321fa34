"""A column of a query, as it is read; the columns of a report's definition are such."""

from typing import Literal, Protocol

from engine.exporters.document import Kind


class ReadColumn(Protocol):
    """What must be known of a column before its values are."""

    @property
    def name(self) -> str:
        """As the query calls it."""

    @property
    def kind(self) -> Kind:
        """What its cells are."""

    @property
    def currency(self) -> str | None:
        """Of all amounts."""

    @property
    def currency_column(self) -> str | None:
        """Where the currency of each amount is."""

    @property
    def unit(self) -> Literal["minor", "major"]:
        """Whether amounts come as whole minor units, or as decimals."""

    @property
    def total(self) -> bool:
        """Whether a sum of it means something; of amounts it always does."""

    @property
    def personal(self) -> bool:
        """Whether its values are kept out of errors."""
