"""Names: codes that must be unique, tiers that look alike, languages that are not everywhere, tiers that go."""

from collections.abc import Iterator

from loyalty.core.findings import Finding, error, listed, meant, warning
from loyalty.tiers.checks.proposal import Proposal


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of the names in a draft."""
    yield from _codes(proposal)
    yield from _looks(proposal)
    yield from _translations(proposal)
    yield from _gone(proposal)


def _codes(proposal: Proposal) -> Iterator[Finding]:
    codes = [tier.code for tier in proposal.tiers]
    for number, code in enumerate(codes):
        if codes.count(code) > 1:
            yield error("tie", f"Several tiers have the code {code}. Give each its own.", "tiers", number, "code")


def _looks(proposal: Proposal) -> Iterator[Finding]:
    """Members tell tiers apart by their names and colours."""
    names: dict[str, str] = {}
    colors: dict[str, str] = {}
    for number, tier in enumerate(proposal.tiers):
        other = names.setdefault(tier.name.casefold(), tier.code)
        if other != tier.code:
            detail = f"The tier '{other}' has this name, too, and members cannot tell them apart. Give each its own."
            yield warning("same-name", detail, "tiers", number, "name")
        if tier.color is not None and (other := colors.setdefault(tier.color.casefold(), tier.code)) != tier.code:
            detail = f"The tier '{other}' has this colour, too. Give each its own."
            yield warning("same-color", detail, "tiers", number, "color")


def _translations(proposal: Proposal) -> Iterator[Finding]:
    """Who reads one tier in Polish expects to read them all in Polish."""
    everywhere = sorted({language for tier in proposal.tiers for language in tier.translations})
    for number, tier in enumerate(proposal.tiers):
        missing = [language for language in everywhere if language not in tier.translations]
        if missing:
            detail = f"Other tiers are translated into {listed(missing)}, and this one is not. Translate it, too."
            yield warning("missing-translation", detail, "tiers", number, "translations")


def _gone(proposal: Proposal) -> Iterator[Finding]:
    """Tiers of the ladder in force that the draft has not: renamed by mistake, or taken away on purpose."""
    codes = {tier.code for tier in proposal.tiers}
    for code in sorted(proposal.known - codes):
        detail = f"The ladder in force has a tier '{code}', and this one has not: its members will be reassessed."
        advice = meant(code, codes - proposal.known) or " Keep the code if the tier was only to have another name."
        yield warning("tier-gone", f"{detail}{advice}", "tiers")
