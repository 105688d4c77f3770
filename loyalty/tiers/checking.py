"""Checking a ladder before it is published: what cannot be right, and what is probably not meant. Pure.

An error is a ladder by which nobody can say who has which tier. Everything else that looks like a mistake is a warning:
marketers have reasons that no program knows. `docs/howto.md` explains every code.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from loyalty.core.findings import Finding
from loyalty.programs.domain import Program
from loyalty.tiers.checks import benefits, names, steps, terms
from loyalty.tiers.checks.proposal import Proposal
from loyalty.tiers.storing import ladder_from, tier_from

# In the order in which findings are listed, errors first.
CHECKS = (names, steps, benefits, terms)


def check(stored: dict[str, Any], program: Program, known: Collection[str] = (), *, now: datetime) -> list[Finding]:
    """What is to be said of a draft, in its stored form: errors first, which keep it from being published.

    `known` are the codes of the tiers in force.
    """
    proposal = Proposal(
        ladder=ladder_from(stored, version=0),
        tiers=tuple(tier_from(tier) for tier in stored["tiers"]),
        program=program,
        known=frozenset(known),
        now=now,
    )
    found = [finding for each in CHECKS for finding in each.find(proposal)]
    return sorted(found, key=lambda finding: finding.level != "error")
