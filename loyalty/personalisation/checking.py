"""Checking offers before they are published: what cannot be right, and what is probably not meant. Pure.

An error is an offer that nobody can ever be given, or a draft that does not say what it means. Everything else that
looks like a mistake is a warning: marketers have reasons that no program knows. `docs/howto.md` explains every code.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from loyalty.core.findings import Finding
from loyalty.offers.storing import set_from
from loyalty.personalisation.checks import amounts, choosing, conditions, goods, limits, names, pairs, times
from loyalty.personalisation.checks.proposal import NOTHING_AROUND, Around, Proposal
from loyalty.programs.domain import Program

# In the order in which findings are listed, errors first.
CHECKS = (names, conditions, goods, times, amounts, limits, choosing, pairs)


def check(
    offers: Sequence[dict[str, Any]], personalising: dict[str, Any], program: Program, around: Around = NOTHING_AROUND,
    *, now: datetime,
) -> list[Finding]:  # fmt: skip
    """What is to be said of a draft, in its stored form: errors first, which keep it from being published."""
    made = set_from(list(offers), personalising, version=0)
    proposal = Proposal(made.offers, made.personalising, program, around, now)
    found = [finding for each in CHECKS for finding in each.find(proposal)]
    return sorted(found, key=lambda finding: finding.level != "error")
