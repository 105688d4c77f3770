"""Splitting a whole number in proportion to weights without losing or inventing a unit."""

from collections.abc import Sequence


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` (not negative) in proportion to `weights` (not negative) by largest remainder, Hamilton's method.

    The parts sum to `total` exactly; a tie of remainders goes to the earlier part. With weights that are all zero
    nothing can be in proportion, so the first part takes everything. All arithmetic is on integers, hence exact.

    >>> apportion(10, [350, 350, 350])
    [4, 3, 3]
    """
    if not weights:
        return []
    whole = sum(weights)
    if not whole:
        return [total] + [0] * (len(weights) - 1)
    parts = [total * weight // whole for weight in weights]
    left = total - sum(parts)
    if left:
        by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
        for i in by_remainder[:left]:
            parts[i] += 1
    return parts
