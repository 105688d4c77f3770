"""Feedback: what members say when they are asked, where they say it, and what they do afterwards."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Protocol

from loyalty.feedback.domain import SCALES, scores_of
from loyalty.kpis.domain import Answer, Column, Question, Report, Row, Sources, ratio, row
from loyalty.kpis.opinions import NONE, Estimate, Scores, classes, estimate, mean_of
from loyalty.rollups.domain import Dimension

_KIND = Column(
    "kind", "text", "What was asked: nps (would they recommend), csat (are they content), ces (was it easy)."
)
_INTERVAL = "of the interval that holds the value of all who would have answered, 95 times of 100."
_SCORES = (
    Column("answers", "count", "Answers, by the day on which they were given."),
    Column("nps", "number",
        "Net promoter score: the percentage of 9 and 10 less that of 0 to 6, from -100 to 100. Null for other kinds."),
    Column("csat", "share", "The share of 4 and 5 on a scale of 1 to 5. Null for other kinds."),
    Column("ces", "number", "The mean on a scale of 1 to 7, where 7 is very easy. Null for other kinds."),
    Column("low", "number", f"The lower end {_INTERVAL} In the unit of the kind."),
    Column("high", "number", f"The upper end {_INTERVAL} In the unit of the kind."),
    Column("good", "share", "Of the answers: promoters (9 and 10), satisfied (4 and 5), or easy (5 to 7)."),
    Column("bad", "share", "Of the answers: detractors (0 to 6), unsatisfied (1 to 3), or hard (1 to 4)."),
    Column("low_scores", "count", "Answers at or below the score that the program calls low now (its `feedback`)."),
)  # fmt: skip
COLUMNS = (_KIND, *_SCORES)
TOTALS = (
    Column("answers", "count", "Answers of all kinds in the time."),
    Column("members", "count", "Members who answered anything in the time."),
    *(
        Column(f"{kind}{end}", "number", f"{what} over the whole time{of}.")
        for kind, what in (("nps", "Net promoter score"), ("csat", "Share of 4 and 5"), ("ces", "Mean of ces"))
        for end, of in (("", ""), ("_low", ", lower end of its interval"), ("_high", ", upper end of its interval"))
    ),
    Column("low_scores", "count", "Answers of all kinds at or below what the program calls low now."),
)  # fmt: skip
DISTRIBUTION = (
    _KIND,
    Column("score", "count", "The score."),
    Column("answers", "count", "How often it was given in the time."),
    Column("share", "share", "Of the answers of the kind."),
)
LATER = (
    _KIND,
    Column("class", "text", "promoter, passive or detractor; satisfied or unsatisfied; easy or hard."),
    Column("members", "count", "Members whose answer is of this class and whose time after it is over."),
    Column("spend_per_member", "number", "What they bought after it, less what came back, in minor units each."),
    Column("low", "number", f"The lower end {_INTERVAL}"),
    Column("high", "number", f"The upper end {_INTERVAL}"),
    Column("bought_nothing", "share", "Of the members: who bought nothing after it, in the same time."),
)
BY: tuple[tuple[str, Dimension, str], ...] = (
    ("tiers", "tier", "The tier that the member had when answering."),
    ("segments", "segment", "A segment that the member was in when the day of the answer began."),
    ("touchpoints", "touchpoint", "Where the member met the shop, as the answer says."),
)
WHO = "Only those who answered are counted, and who is delighted or angry answers more readily than others."
NOT_CAUSAL = "Members who answer well differ in more than their answer: what they bought later is not because of it."


class ArmTotals(Protocol):
    """Exact sums over the members of an arm."""

    members: int
    buyers: int
    spend: int
    spend_2: int


class ArmOfDay(Protocol):
    """What came of the members of an arm whose anchor is on a day."""

    arm: str
    totals: Any


class Experiment(Protocol):
    """One experiment's outcomes."""

    days: Iterable[ArmOfDay]


class Outcomes(Protocol):
    """What came after answers: an experiment "answers:<kind>", whose arms are the classes of answers."""

    def of(self, experiment: str, first: date, last: date) -> Experiment:
        """Those of one experiment whose anchors lie within the days."""


class _Answers:
    """How often which score was given: by kind and key of a dimension, in all and by day."""

    def __init__(self, found: Mapping[tuple[str, str], Mapping[date, int]], key: str | None = None) -> None:
        self.days: dict[tuple[str, str], dict[int, Mapping[date, int]]] = defaultdict(dict)
        for (measure, of), days in found.items():
            _, kind, score = measure.split(".")
            if key is None or of == key:
                self.days[kind, of][int(score)] = days

    def kinds(self) -> list[str]:
        """The kinds of which there is an answer."""
        there = {kind for kind, _ in self.days}
        return [kind for kind in SCALES if kind in there]

    def scores(self, kind: str, of: str, first: date, last: date) -> Scores:
        """How often each score was given within some days."""
        found: Counter[int] = Counter()
        for score, days in self.days.get((kind, of), {}).items():
            found[score] = sum(n for day, n in days.items() if first <= day < last)
        return found


def work_out(sources: Sources, asked: Question) -> Answer:
    """Work it out."""
    dimension, key = _narrowed(asked)
    answers = _answers(sources, asked, dimension, key)
    whole = {kind: answers.scores(kind, key, asked.first, asked.last) for kind in SCALES}
    rows = [
        row(each, kind=kind, **_numbers(asked, kind, answers.scores(kind, key, each.first, each.last)))
        for each in asked.periods
        for kind in answers.kinds()
    ]
    sections: dict[str, list[Row]] = {"distribution": _distribution(whole, answers.kinds())}
    sections |= {name: _by(sources, asked, name) for name, *_ in BY} if dimension == "all" else {}
    outcomes = sources.more.get("outcomes")
    if outcomes is not None and dimension == "all":
        sections["later"] = _later(outcomes, asked)
    warnings = [WHO] * bool(rows) + [NOT_CAUSAL] * bool(sections.get("later"))
    members = sources.rollups.members("answered", dimension=dimension, key=key, first=asked.first, last=asked.last)
    return Answer(_totals(asked, whole, len(members)), rows, sections, warnings)


def _narrowed(asked: Question) -> tuple[Dimension, str]:
    for _, dimension, _ in BY:
        if dimension in asked.filters:
            return dimension, asked.filters[dimension]
    return "all", ""


def _answers(sources: Sources, asked: Question, dimension: Dimension, key: str | None = None) -> _Answers:
    found = sources.rollups.keyed(("answers.*",), dimension=dimension, first=asked.first, last=asked.last)
    return _Answers(found, key)


def _numbers(asked: Question, kind: str, scores: Scores) -> Row:
    """What answers of one kind come to."""
    n, found = sum(scores.values()), estimate(kind, scores)
    by_class = list(classes(kind, scores).values())
    return {
        "answers": n,
        **{each: found.value if each == kind else None for each in SCALES},
        "low": found.low,
        "high": found.high,
        "good": ratio(by_class[0], n),
        "bad": ratio(by_class[-1], n),
        "low_scores": _low(asked, kind, scores),
    }


def _low(asked: Question, kind: str, scores: Scores) -> int:
    return sum(n for score, n in scores.items() if asked.program.feedback.is_low(kind, score))


def _totals(asked: Question, whole: Mapping[str, Scores], members: int) -> Row:
    found: dict[str, Estimate] = {kind: estimate(kind, scores) for kind, scores in whole.items()}
    ends = {
        f"{kind}{end}": getattr(found.get(kind, NONE), name)
        for kind in SCALES
        for end, name in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    answers = sum(sum(scores.values()) for scores in whole.values())
    low = sum(_low(asked, kind, scores) for kind, scores in whole.items())
    return {"answers": answers, "members": members, **ends, "low_scores": low}


def _distribution(whole: Mapping[str, Scores], kinds: Iterable[str]) -> list[Row]:
    """Every score of a kind, those that nobody gave, too."""
    return [
        {
            "kind": kind,
            "score": score,
            "answers": whole[kind].get(score, 0),
            "share": ratio(whole[kind].get(score, 0), sum(whole[kind].values())),
        }
        for kind in kinds
        for score in scores_of(kind)
    ]


def _by(sources: Sources, asked: Question, name: str) -> list[Row]:
    """What answers come to by tier, segment or touchpoint, over the whole time."""
    dimension = next(each for section, each, _ in BY if section == name)
    answers = _answers(sources, asked, dimension)
    order = list(SCALES)
    places = sorted(answers.days, key=lambda each: (order.index(each[0]), each[1]))
    return [
        {"kind": kind, dimension: key, **_numbers(asked, kind, answers.scores(kind, key, asked.first, asked.last))}
        for kind, key in places
    ]


def _later(outcomes: Outcomes, asked: Question) -> list[Row]:
    """What members bought after their answers, by class, best first."""
    rows = []
    for kind, scale in SCALES.items():
        days = list(outcomes.of(f"answers:{kind}", asked.first, asked.last).days)
        for name, _ in scale.classes:
            totals: list[ArmTotals] = [each.totals for each in days if each.arm == name]
            if members := sum(each.members for each in totals):
                spend = mean_of(members, sum(each.spend for each in totals), sum(each.spend_2 for each in totals))
                bought = sum(each.buyers for each in totals)
                rows.append({
                    "kind": kind, "class": name, "members": members, "spend_per_member": spend.value,
                    "low": spend.low, "high": spend.high, "bought_nothing": ratio(members - bought, members),
                })  # fmt: skip
    return rows


REPORT = Report(
    name="feedback",
    title="Feedback",
    summary="What members say when they are asked, by tier, segment and touchpoint, and what they buy afterwards.",
    filters=("tier", "segment", "touchpoint"),
    columns=COLUMNS,
    totals=TOTALS,
    sections={
        "distribution": DISTRIBUTION,
        **{name: (_KIND, Column(dimension, "text", told), *_SCORES) for name, dimension, told in BY},
        "later": LATER,
    },
    plot=("nps",),
    work_out=work_out,
)
