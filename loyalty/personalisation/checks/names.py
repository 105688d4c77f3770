"""Names: codes that must be unique, languages, tiers, segments and goods that must be there."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from babel import Locale, UnknownLocaleError

from loyalty.core.findings import Finding, error, listed, meant, warning
from loyalty.earning.checks import names
from loyalty.personalisation.checks.proposal import Proposal, some


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of the names in a draft."""
    yield from _codes(proposal)
    yield from _languages(proposal)
    yield from _segments(proposal)
    offers = [(("offers", number), offer) for number, offer in enumerate(proposal.offers)]
    never = (("personalising", "never_personalise"), _Never(proposal))
    yield from names.unknown_tiers(offers, proposal.around.known.tiers)
    yield from names.unknown_goods([*offers, never], offers, proposal.around.known)
    yield from names.odd_paths([*offers, never], proposal.around.known)


class _Never:
    """What nobody is personally offered, as something that names goods."""

    def __init__(self, proposal: Proposal) -> None:
        self.categories = proposal.personalising.never_categories
        self.skus = proposal.personalising.never_skus


def _codes(proposal: Proposal) -> Iterator[Finding]:
    """Codes name an offer in every assignment, so they are unique."""
    counted = Counter(offer.code for offer in proposal.offers)
    for number, offer in enumerate(proposal.offers):
        if counted[offer.code] > 1:
            yield error(
                "tie", f"Several offers have the code {offer.code}. Give each its own.", "offers", number, "code"
            )


def _languages(proposal: Proposal) -> Iterator[Finding]:
    """Languages that nobody speaks, and offers that one of them is missing in."""
    everywhere = sorted({language for offer in proposal.offers for language in offer.titles if _is_known(language)})
    untranslated = []
    for number, offer in enumerate(proposal.offers):
        for language in offer.titles:
            if not _is_known(language):
                detail = f"There is no language '{language}', so nobody reads this title. Correct the language tag."
                yield warning("unknown-language", detail, "offers", number, "titles", language)
        missing = [language for language in everywhere if language not in offer.titles]
        if missing:
            detail = f"Other offers have a title in {listed(missing)}, and this one has not. Translate it, too."
            untranslated.append(warning("missing-translation", detail, "offers", number, "titles"))
    yield from some(untranslated)


@lru_cache(maxsize=256)
def _is_known(language: str) -> bool:
    try:
        Locale.parse(language, sep="_" if "_" in language else "-")
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _segments(proposal: Proposal) -> Iterator[Finding]:
    there = proposal.around.segments
    if there is None:
        return
    unknown = []
    for number, offer in enumerate(proposal.offers):
        for place, code in enumerate(offer.segments):
            if code not in there:
                detail = f"There is no segment '{code}', so nobody is in it.{meant(code, there)}"
                advice = "Add it to the earning rules, or name another."
                unknown.append(warning("unknown-segment", f"{detail} {advice}", "offers", number, "segments", place))
    yield from some(unknown)
