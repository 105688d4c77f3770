"""`python -m bench.churn`: how well scores of members tell who will buy nothing, and who will spend most.

The purchases are those of CDNOW's customers of early 1997 (Fader and Hardie), a public data set in the package
lifetimes. Counters, what they mean and the scores are made by the service's own code, from the purchases before a
cut-off; what was bought after it is the truth. The last 90 days before it are what the nightly count would learn from.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from loyalty.features.decay import NOTHING, PACE, as_of, plus, times
from loyalty.features.outlook import AHEAD, Outlook
from loyalty.features.sums import MemberChange, MemberSums, member_after
from loyalty.learning.contributions import weights
from loyalty.learning.foreseeing import learned, seen

# Counters know nothing of the last century (`decay.LANDMARK`), so all of it happens 28 years later, on the same days.
LATER = timedelta(days=28 * 365 + 7)
CUT_OFF = datetime(1997, 10, 1, tzinfo=UTC) + LATER
AFTER = timedelta(days=273)
TOP = 0.1
GOALS = {"auc": 0.766, "top": 0.52}

# When, and for how many cents.
Purchase = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Results:
    """What came out. `auc`: of who buys nothing; `top`: the share of what is spent after that the best tenth has."""

    members: int
    nothing: float
    auc: float
    recency_auc: float
    top: float
    outlook: Outlook
    # Within the days that scores are about: tenths of the members by churn, as said and as it was, and the money.
    tenths: tuple[tuple[float, float], ...]
    spend: tuple[float, float]


def is_installed() -> bool:
    """Whether the data is there."""
    return find_spec("lifetimes") is not None


def purchases() -> dict[str, list[Purchase]]:
    """The purchases of each customer."""
    found = defaultdict[str, list[Purchase]](list)
    # The package itself is not imported: it would take a second, and warn of what it does.
    package = find_spec("lifetimes")
    assert package is not None, "it is asked for where it is installed"
    assert package.origin is not None, "it is more than a name space"
    text = Path(package.origin).with_name("datasets").joinpath("CDNOW_master.txt").read_text(encoding="ascii")
    for line in text.splitlines()[1:]:
        customer, day, _, dollars = line.split()
        found[customer].append(
            (datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) + LATER, round(100 * float(dollars)))
        )
    return found


def change_of(bought: Sequence[Purchase]) -> MemberChange:
    """What purchases add to a member's sums, as orders do."""
    change = MemberChange(added=tuple(at for at, _ in bought))
    change.visits = change.worth = NOTHING
    for at, cents in bought:
        _, pace = weights(at)
        change.orders += 1
        change.spend += cents
        change.visits, change.worth = plus(change.visits, pace), plus(change.worth, times(pace, cents))
    return change


def outlook_at(shop: dict[str, list[Purchase]], at: datetime) -> Outlook:
    """What the nightly count would have learned by an instant."""
    then = at - AHEAD
    members = []
    for bought in shop.values():
        known = [each for each in bought if each[0] < at]
        sums = member_after(MemberSums(), change_of(known))
        members.append(seen(sums, change_of([each for each in known if each[0] >= then]), then))
    return learned([each for each in members if each is not None])


def measure() -> Results:
    """Score everybody as of the cut-off, and compare."""
    shop = purchases()
    outlook = outlook_at(shop, CUT_OFF)
    churn, value, recency, later, soon = [], [], [], [], []
    for bought in shop.values():
        past = [each for each in bought if each[0] < CUT_OFF]
        sums = member_after(MemberSums(), change_of(past))
        churn.append(1 - outlook.buys(as_of(sums.visits, CUT_OFF, PACE)))
        value.append(outlook.spends(as_of(sums.worth, CUT_OFF, PACE)))
        recency.append((CUT_OFF - past[-1][0]).days)
        later.append([cents for at, cents in bought if CUT_OFF <= at < CUT_OFF + AFTER])
        soon.append([cents for at, cents in bought if CUT_OFF <= at < CUT_OFF + AHEAD])
    gone, spent = np.array([not each for each in later]), np.array([sum(each) for each in later])
    gone_soon, said = np.array([not each for each in soon]), np.array(churn)
    best = np.argsort(-np.array(value), kind="stable")[: round(TOP * len(value))]
    tenths = np.array_split(np.argsort(said, kind="stable"), 10)
    return Results(
        members=len(shop),
        nothing=float(gone.mean()),
        auc=auc(said, gone),
        recency_auc=auc(np.array(recency), gone),
        top=float(spent[best].sum() / spent.sum()),
        outlook=outlook,
        tenths=tuple((float(said[tenth].mean()), float(gone_soon[tenth].mean())) for tenth in tenths),
        spend=(sum(value), float(sum(map(sum, soon)))),
    )


def auc(score: np.ndarray, truth: np.ndarray) -> float:
    """The chance that somebody of whom it is true has a higher score than somebody of whom it is not; ties: half."""
    ranks, true = rankdata(score), int(truth.sum())
    return float((ranks[truth].sum() - true * (true + 1) / 2) / (true * (len(truth) - true)))


def calibration_error(tenths: Sequence[tuple[float, float]]) -> float:
    """How far what was said is from what was, on the mean of the tenths."""
    return sum(abs(said - was) for said, was in tenths) / len(tenths)


def main() -> None:
    """Measure, print."""
    if not is_installed():
        print("Skipped: the purchases are in the package lifetimes, which is not installed.")
        return
    found = measure()
    print(f"CDNOW: {found.members} customers, cut-off {CUT_OFF - LATER:%Y-%m-%d}, next {AFTER.days} days: "
          f"{found.nothing:.1%} buy nothing")  # fmt: skip
    print(f"  AUC of buying nothing       {found.auc:.4f}  (goal {GOALS['auc']}; by recency {found.recency_auc:.4f})")
    print(f"  best tenth's share of sales {found.top:.2%} (goal {GOALS['top']:.0%})")
    print(f"  learned: {found.outlook}")
    print(f"Next {AHEAD.days} days: expected to be spent {found.spend[0] / 100:,.0f} $, "
          f"was {found.spend[1] / 100:,.0f} $; churn by tenth, said and was "
          f"(error {calibration_error(found.tenths):.4f}):")  # fmt: skip
    print("  " + "  ".join(f"{said:.3f}/{was:.3f}" for said, was in found.tenths))


if __name__ == "__main__":
    main()
