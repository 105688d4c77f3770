"""Splitting a whole number in proportion to weights without losing or inventing a unit."""

from collections.abc import Sequence


def apportion(total: int, weights: Sequence[int], most: Sequence[int | None] | None = None) -> list[int]:
    """Split `total` (not negative) in proportion to `weights` (not negative) by largest remainder, Hamilton's method.

    The parts sum to `total` exactly; a tie of remainders goes to the earlier part. With weights that are all zero
    nothing can be in proportion, so the first part takes everything. `most` bounds the parts (None: no bound): what a
    part may not take goes to the next in the order of remainders. The bounds must leave room for `total`.
    All arithmetic is on integers, hence exact.

    >>> apportion(10, [350, 350, 350])
    [4, 3, 3]
    >>> apportion(11, [1, 100], [None, 10])
    [1, 10]
    """
    if not weights:
        return []
    whole = sum(weights)
    if not whole:
        return [total] + [0] * (len(weights) - 1)
    parts = [total * weight // whole for weight in weights]
    bounds = most or [None] * len(weights)
    parts = [part if bound is None else min(part, bound) for part, bound in zip(parts, bounds, strict=True)]
    left = total - sum(parts)
    if left:
        by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
        while left:
            takers = [i for i in by_remainder if weights[i] and ((bound := bounds[i]) is None or parts[i] < bound)]
            assert takers, "the bounds leave no room"
            for i in takers[:left]:
                parts[i] += 1
            left -= min(left, len(takers))
    return parts
