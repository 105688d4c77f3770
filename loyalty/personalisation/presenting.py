"""Offers as a member is shown them, in their language. Pure, but for the catalogues of words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loyalty.core.i18n import Language, in_words_of, language
from loyalty.offers.domain import Assignment, OfferSets
from loyalty.offers.promising import shown
from loyalty.personalisation.ranking import Ranked

Sentence = Callable[[Mapping[str, Any], Language], str]


def by_score(held: Sequence[Assignment], ranked: Sequence[Ranked]) -> list[tuple[Assignment, float]]:
    """Open offers in the order in which they fit today, with how well; one that is not ranked, as when it was given."""
    today = {each.offer.code: each.score for each in ranked}
    scored = [(each, today.get(each.offer_code, each.score or 0.0)) for each in held]
    return sorted(scored, key=lambda found: (-found[1], found[0].offer_code))


@dataclass(frozen=True, slots=True)
class Showing:
    """To whom offers are shown: in the language of `tag`, with `sentence` to say why."""

    sets: OfferSets
    tag: str
    sentence: Sentence

    def offers(self, found: Sequence[tuple[Assignment, float]]) -> list[dict[str, Any]]:
        """Open offers with how well they fit, the best first."""
        speaks = language(self.tag)
        return [
            {**self._offer(given), "rank": rank, "score": score, "reasons": self._reasons(given, speaks)}
            for rank, (given, score) in enumerate(found, 1)
        ]

    def _offer(self, given: Assignment) -> dict[str, Any]:
        offer = self.sets.offer(given.offer_code, given.offer_version)
        return {
            "offer": offer.code,
            "assignment_id": given.assignment_id,
            "title": (in_words_of(self.tag, offer.titles) if offer.titles else None) or offer.title,
            "promise": shown(given.promise),
            "categories": offer.categories,
            "skus": offer.skus,
            "min_basis": offer.min_basis,
            "status": given.status,
            "activation": offer.activation,
            "assigned_at": given.assigned_at,
            "seen_at": given.seen_at,
            "activated_at": given.activated_at,
            "valid_to": given.valid_to,
            "voucher": given.voucher_code,
            "list": given.in_list,
            "trigger": given.trigger,
            "probability": given.probability,
        }

    def _reasons(self, given: Assignment, speaks: Language) -> list[dict[str, Any]]:
        return [
            {
                "feature": reason["feature"],
                "value": reason["value"],
                "detail": self.sentence(reason, speaks),
                "orders": reason["orders"],
            }
            for reason in given.reasons
        ]
