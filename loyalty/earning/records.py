"""How an order was judged, as it is kept with it: enough to judge it again, and to say why."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from loyalty.earning.domain import NO_HABITS, UNKNOWN, Count, Facts, OfferTerms, TierTerms
from loyalty.features.domain import SUMMED, Buying, Habits, cuts_from
from loyalty.programs.terms import expiry_from
from loyalty.rules.history import History, Purchases, Sums

_INSTANTS = frozenset({"first_at", "last_at"})
_SUMS = frozenset({"visits", "worth"})


@dataclass(frozen=True, slots=True)
class Judged:
    """By which version of the rules and of the program's settings an occasion was judged, and on what facts."""

    rules: int
    settings: int
    facts: Facts

    def document(self) -> dict[str, Any]:
        """As it is stored: facts that say nothing are left out."""
        facts = {} if self.facts == UNKNOWN else {name: value for name, value in _facts(self.facts).items() if value}
        return {"rules": self.rules, "settings": self.settings, **({"facts": facts} if facts else {})}


def judged_from(document: Mapping[str, Any]) -> Judged | None:
    """How an order was judged; None for one that was recorded before that was kept."""
    if not document:
        return None
    return Judged(document["rules"], document["settings"], _facts_from(document.get("facts", {})))


def _facts(facts: Facts) -> dict[str, Any]:
    history = facts.history
    return {
        "enrolled_at": _text(facts.enrolled_at),
        "birth_date": _text(facts.birth_date),
        "locale": facts.locale,
        "referred": facts.referred,
        "attributes": facts.attributes,
        "tier": facts.tier,
        "tier_terms": _terms(facts.tier_terms),
        "offers": [_offer(terms) for terms in facts.offers],
        "history": _purchases(history.total) if history.total != Purchases() else None,
        "categories": {path: _purchases(bought) for path, bought in history.categories.items()},
        "habits": _habits(facts.habits),
        "counts": [[*key, c.points, c.times, _text(c.last_at)] for key, c in facts.counts.items()],
        "budgets": facts.budgets,
    }


def _facts_from(stored: Mapping[str, Any]) -> Facts:
    born = stored.get("birth_date")
    history = History(
        _purchases_from(stored["history"]) if "history" in stored else Purchases(),
        {path: _purchases_from(bought) for path, bought in stored.get("categories", {}).items()},
    )
    return Facts(
        enrolled_at=_instant(stored.get("enrolled_at")),
        birth_date=None if born is None else date.fromisoformat(born),
        locale=stored.get("locale"),
        referred=stored.get("referred", False),
        attributes=stored.get("attributes", {}),
        tier=stored.get("tier"),
        tier_terms=_terms_from(stored.get("tier_terms")),
        offers=tuple(_offer_from(terms) for terms in stored.get("offers", ())),
        history=history,
        habits=_habits_from(stored.get("habits")),
        counts={(code, p): Count(n, times, _instant(at)) for code, p, n, times, at in stored.get("counts", ())},
        budgets=stored.get("budgets", {}),
    )


def _terms(terms: TierTerms | None) -> list[Any] | None:
    if terms is None:
        return None
    return [terms.ladder_version, f"{terms.multiplier:f}", terms.expiry and terms.expiry.code()]


def _terms_from(stored: list[Any] | None) -> TierTerms | None:
    if stored is None:
        return None
    version, multiplier, expiry = stored
    return TierTerms(version, Decimal(multiplier), None if expiry is None else expiry_from(expiry))


def _offer(terms: OfferTerms) -> dict[str, Any]:
    said = {name: value for name, value in asdict(terms).items() if value}
    texts = {"assignment_id": str(terms.assignment_id), "value": f"{terms.value:f}"}
    return {**said, **texts, "begins": _text(terms.begins), "ends": _text(terms.ends)}


def _offer_from(stored: dict[str, Any]) -> OfferTerms:
    goods = ("categories", "skus", "exclude_categories", "exclude_skus")
    made = {**stored, **{name: tuple(stored.get(name, ())) for name in goods}}
    made |= {name: datetime.fromisoformat(stored[name]) for name in ("begins", "ends")}
    return OfferTerms(**{**made, "assignment_id": UUID(stored["assignment_id"]), "value": Decimal(stored["value"])})


def _purchases(bought: Purchases) -> list[Any]:
    sums = bought.sums
    return [sums.orders, sums.quantity, sums.spend, _text(bought.last_at)]


def _purchases_from(stored: list[Any]) -> Purchases:
    *sums, last_at = stored
    return Purchases(Sums(*sums), _instant(last_at))


def _habits(habits: Habits) -> dict[str, Any] | None:
    """Decimals as texts: the sums are exact."""
    if habits == NO_HABITS:
        return None
    found = {name: getattr(habits.buying, name) for name in SUMMED}
    return {
        **{name: _plain(value) for name, value in found.items() if value},
        **({"cuts": habits.cuts.document()} if habits.cuts else {}),
    }


def _plain(value: int | Decimal | datetime) -> int | str:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else value


def _habits_from(stored: Mapping[str, Any] | None) -> Habits:
    if stored is None:
        return NO_HABITS
    made = {name: value for name, value in stored.items() if name != "cuts"}
    for name in _INSTANTS & made.keys():
        made[name] = datetime.fromisoformat(made[name])
    for name in _SUMS & made.keys():
        made[name] = Decimal(made[name])
    return Habits(Buying(**made), cuts_from(stored.get("cuts")))


def _text(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
