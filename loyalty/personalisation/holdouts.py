"""From whom offers are held out: a share of members, the same ones for ever. Pure."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from loyalty.offers.domain import held_out
from loyalty.personalisation.ranking import Ranked
from loyalty.programs.domain import Program


def is_withheld(program: Program, member_id: UUID) -> bool:
    """Whether a member is in the program's holdout, which is given no offer at all."""
    return held_out(member_id, Decimal(program.holdout_percent), str(program.program_id))


def holdout_of(program: Program, member_id: UUID) -> Callable[[Ranked], bool]:
    """Whether a member is in the holdout of an offer."""
    return lambda each: held_out(member_id, each.offer.holdout_percent, f"{program.program_id}:{each.offer.code}")
