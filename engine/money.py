"""Money: integers of a currency's minor unit, made from and shown as exact decimals.

The number of minor digits comes from ISO 4217; a currency not listed here has two.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from engine.errors import Invalid

# ISO 4217:2015, table A.1: the currencies whose minor unit is not a hundredth.
_MINOR_DIGITS: Mapping[str, int] = {
    **dict.fromkeys(
        [
            *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
            *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}

_CODE = re.compile(r"[A-Z]{3}", re.ASCII)

# Powers of ten; no sum of money in any currency comes near.
_LARGEST = 60


class NotAnAmount(Invalid):
    """A text that should be an amount of money is none."""

    message = "{text!r} is not an amount; write digits with a point, such as 1234.50"


class PrecisionLost(Invalid):
    """An amount has more decimals than its currency can hold; it is never rounded."""

    message = "{text} has more decimals than {currency} holds ({digits})"


def is_code(currency: str) -> bool:
    """Whether it is written as ISO 4217 writes codes, in three capital letters: `kwd` is none."""
    return _CODE.fullmatch(currency) is not None


def minor_digits(currency: str) -> int:
    """How many decimals one unit of `currency` has: SAR 2, KWD 3, JPY 0."""
    return _MINOR_DIGITS.get(currency, 2)


def to_minor(amount: str | int | Decimal, currency: str) -> int:
    """`amount` in whole units as an integer of the minor unit, exactly.

    Raises NotAnAmount for anything that is no finite decimal, PrecisionLost where rounding
    would be needed.
    """
    try:
        exact = Decimal(amount.strip() if isinstance(amount, str) else amount)
    except InvalidOperation:
        raise NotAnAmount(text=amount) from None
    if not exact.is_finite() or abs(exact.adjusted()) > _LARGEST or "_" in str(amount):
        # 1E999999999 is a valid decimal whose integer would fill the memory.
        raise NotAnAmount(text=str(amount))
    digits = minor_digits(currency)
    # Read digit by digit: Decimal arithmetic would round at the context's 28 digits.
    sign, figures, exponent = exact.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - finite, seen above
    shift = exponent + digits
    whole: int = int("".join(map(str, figures)) or "0")
    if shift >= 0:
        minor = int(whole * 10**shift)
    else:
        minor, lost = divmod(whole, 10**-shift)
        if lost:
            raise PrecisionLost(text=str(amount), currency=currency, digits=digits)
    return -minor if sign else minor


def format_minor(minor: int, currency: str) -> str:
    """`minor` as people read it, with thousands: -123450 SAR is "-1,234.50"."""
    digits = minor_digits(currency)
    whole, part = divmod(abs(minor), 10**digits)
    shown = f"{whole:,}" + (f".{part:0{digits}d}" if digits else "")
    return f"-{shown}" if minor < 0 else shown
