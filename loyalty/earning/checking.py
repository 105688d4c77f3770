"""Checking rules before they are published: what cannot be right, and what is probably not meant. Pure.

An error is a rule that can never give anything, or a draft that does not say what it means. Everything else that looks
like a mistake is a warning: marketers have reasons that no program knows. `docs/howto.md` explains every code.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from loyalty.core.findings import Finding
from loyalty.earning.checks import amounts, conditions, goods, limits, names, pairs, times
from loyalty.earning.checks.proposal import NOTHING_KNOWN, Known, Proposal
from loyalty.earning.segments import Segment
from loyalty.earning.storing import rule_from
from loyalty.programs.domain import Program

Rules = Sequence[dict[str, Any]]

# In the order in which findings are listed, errors first.
CHECKS = (names, conditions, goods, times, amounts, limits, pairs)


def check(
    rules: Rules, segments: Rules, program: Program, known: Known = NOTHING_KNOWN, *, now: datetime
) -> list[Finding]:
    """What is to be said of a draft, in its stored form: errors first, which keep it from being published."""
    proposal = Proposal(
        rules=tuple(rule_from({"version": 0, **rule}) for rule in rules),
        segments=tuple(Segment(**segment) for segment in segments),
        program=program,
        known=known,
        now=now,
    )
    found = [finding for each in CHECKS for finding in each.find(proposal)]
    return sorted(found, key=lambda finding: finding.level != "error")
