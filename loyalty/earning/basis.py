"""What of an order earns: the basis of each line, in minor units."""

from collections.abc import Sequence

from loyalty.core.apportion import apportion
from loyalty.earning.domain import Line, Purchase
from loyalty.programs.domain import EarnSettings


def basis_of(purchase: Purchase, lines: Sequence[Line], settings: EarnSettings) -> list[int]:
    """The amount each of the order's `lines`, given in the order of their ids, earns on.

    quantity x unit price - line discount - its share of the order's discount, with tax and points paid as the
    settings say. The discount, and shipping if it earns, are shared by what the lines cost; points paid by what was
    left to pay. Shares are by largest remainder; a tie goes to the smaller line id.
    """
    nets = [line.net for line in lines]
    costs = nets
    if purchase.discount:
        costs = [c - share for c, share in zip(costs, apportion(purchase.discount, nets), strict=True)]
    if settings.shipping and purchase.shipping:
        costs = [c + share for c, share in zip(costs, apportion(purchase.shipping, nets), strict=True)]
    bases = costs
    if settings.tax == "excluded":
        bases = [b - line.tax for b, line in zip(bases, lines, strict=True)]
    elif settings.tax == "added":
        bases = [b + line.tax for b, line in zip(bases, lines, strict=True)]
    if purchase.points_paid and not settings.points_paid:
        bases = [b - share for b, share in zip(bases, apportion(purchase.points_paid, costs), strict=True)]
    return [max(0, basis) for basis in bases]
