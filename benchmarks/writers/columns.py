"""The ten columns; who only reads them need not import what makes them."""

from engine.exporters.document import Column, Kind

COLUMNS = [
    Column(name="id", title="Payment", kind=Kind.INTEGER),
    Column(name="wallet", title="Wallet"),
    Column(name="student", title="Student"),
    Column(name="currency", title="Currency"),
    Column(name="amount", title="Amount", kind=Kind.MONEY, currency_column="currency"),
    Column(name="fee", title="Fee", kind=Kind.MONEY, currency="SAR"),
    Column(name="share", title="Share", kind=Kind.PERCENT),
    Column(name="day", title="Day", kind=Kind.DATE),
    Column(name="posted_at", title="Posted at", kind=Kind.DATETIME),
    Column(name="settled", title="Settled", kind=Kind.BOOLEAN),
]
NAMES = ", ".join(column.name for column in COLUMNS)
TIMEZONE = "Asia/Riyadh"


def query_of(rows: int) -> str:
    """The first payments."""
    return f"SELECT {NAMES} FROM payments WHERE id <= {rows}"  # noqa: S608
