"""The one rounding, and how a rounded total is split back. Pure."""

from collections.abc import Sequence
from typing import assert_never

from loyalty.programs.domain import Rounding


def round_once(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Numerator / denominator as a whole number, half up or to the floor or ceiling."""
    match rounding:
        case "floor":
            return numerator // denominator
        case "half_up":
            return (2 * numerator + denominator) // (2 * denominator)
        case "ceil":
            return -(-numerator // denominator)
        case _:
            assert_never(rounding)


def rounded_to(total: int, numerators: Sequence[int], denominator: int) -> list[int]:
    """Numbers rounded down or up such that they sum to `total`, which is their sum, rounded.

    The largest remainders go up; among equals the first.
    """
    parts = [numerator // denominator for numerator in numerators]
    by_remainder = sorted(range(len(numerators)), key=lambda i: -(numerators[i] % denominator))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
