"""Money is integer minor units and a currency; this module only knows how to write it down."""

# ISO 4217, minor unit exponents other than 2.
WITHOUT_MINOR_UNIT = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF",
)  # fmt: skip
WITH_THREE_DIGITS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
EXPONENTS = {**dict.fromkeys(WITHOUT_MINOR_UNIT, 0), **dict.fromkeys(WITH_THREE_DIGITS, 3)}


def exponent_of(currency: str) -> int:
    """How many decimals the minor unit of a currency is."""
    return EXPONENTS.get(currency, 2)


def written(minor_units: int, currency: str) -> str:
    """`1999, "EUR"` -> `19.99 EUR`."""
    exponent = exponent_of(currency)
    whole, fraction = divmod(abs(minor_units), 10**exponent)
    sign = "-" if minor_units < 0 else ""
    return f"{sign}{whole}.{fraction:0{exponent}} {currency}" if exponent else f"{sign}{whole} {currency}"
