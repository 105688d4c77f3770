"""Feedback: what members say when they are asked, where they say it, and what they do afterwards."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from loyalty.feedback.domain import SCALES, scores_of
from loyalty.kpis.counts import Counts, whole
from loyalty.kpis.domain import Answer, Column, Question, Report, Row, Sources, ratio, row
from loyalty.kpis.opinions import NONE, Estimate, Scores, classes, estimate, mean_of
from loyalty.outcomes.domain import Outcomes
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
    Column("members", "count", "Members with such an answer whose 90 days after it are over, each once."),
    Column("spend_per_member", "number", "What each bought in these 90 days, less what came back, in minor units."),
    Column("low", "number", f"The lower end {_INTERVAL}"),
    Column("high", "number", f"The upper end {_INTERVAL}"),
    Column("bought_nothing", "share", "Of the members: who bought nothing in these days."),
)
BY: tuple[tuple[str, Dimension, str], ...] = (
    ("tiers", "tier", "The tier that the member had when answering."),
    ("segments", "segment", "A segment that the member was in when the day of the answer began."),
    ("touchpoints", "touchpoint", "Where the member met the shop, as the answer says."),
)
WHO = "Only those who answered are counted, and who is delighted or angry answers more readily than others."
NOT_CAUSAL = "Members who answer well differ in more than their answer: what they bought later is not because of it."


def work_out(sources: Sources, asked: Question) -> Answer:
    """Work it out."""
    counts = Counts.narrowed(sources.rollups, asked)
    counts.load("answers.*")
    everything = _answers(counts.moved(whole(asked)))
    kinds = [kind for kind in SCALES if kind in everything]
    rows = []
    for each in asked.periods:
        answers = _answers(counts.moved(each))
        rows += [row(each, kind=kind, **_numbers(asked, kind, answers[kind])) for kind in kinds]
    sections: dict[str, list[Row]] = {"distribution": _distribution(everything, kinds)}
    if counts.is_all:
        sections |= {section: _by(sources, asked, dimension) for section, dimension, _ in BY}
        sections["later"] = _later(sources.more["answers"], asked)
    warnings = [WHO] * bool(rows) + [NOT_CAUSAL] * bool(sections.get("later"))
    members = len(counts.members("answered", whole(asked)))
    return Answer(_totals(asked, everything, members), rows, sections, warnings)


def _answers(counted: Mapping[str, int]) -> dict[str, Scores]:
    """How often which score was given, by kind."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for measure, times in counted.items():
        _, kind, score = measure.split(".")
        found[kind][int(score)] = times
    return dict(found)


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


def _totals(asked: Question, everything: Mapping[str, Scores], members: int) -> Row:
    found: dict[str, Estimate] = {kind: estimate(kind, scores) for kind, scores in everything.items()}
    ends = {
        f"{kind}{end}": getattr(found.get(kind, NONE), name)
        for kind in SCALES
        for end, name in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    answers = sum(sum(scores.values()) for scores in everything.values())
    low = sum(_low(asked, kind, scores) for kind, scores in everything.items())
    return {"answers": answers, "members": members, **ends, "low_scores": low}


def _distribution(everything: Mapping[str, Scores], kinds: Iterable[str]) -> list[Row]:
    """Every score of a kind, those that nobody gave, too."""
    return [
        {
            "kind": kind,
            "score": score,
            "answers": everything[kind].get(score, 0),
            "share": ratio(everything[kind].get(score, 0), sum(everything[kind].values())),
        }
        for kind in kinds
        for score in scores_of(kind)
    ]


def _by(sources: Sources, asked: Question, dimension: Dimension) -> list[Row]:
    """What answers come to by tier, segment or touchpoint, over the whole time."""
    found = sources.rollups.totals(("answers.*",), dimension=dimension, first=asked.first, last=asked.last)
    counted: dict[str, dict[str, int]] = defaultdict(dict)
    for (measure, key), times in found.items():
        counted[key][measure] = times
    answers = {key: _answers(counted[key]) for key in sorted(counted)}
    return [
        {"kind": kind, dimension: key, **_numbers(asked, kind, by_kind[kind])}
        for kind in SCALES
        for key, by_kind in answers.items()
        if kind in by_kind
    ]


def _later(outcomes: Outcomes, asked: Question) -> list[Row]:
    """What members bought after their answers, by class, best first."""
    rows = []
    for kind, scale in SCALES.items():
        days = list(outcomes.of(f"answers:{kind}", asked.first, asked.last).days)
        for name, _ in scale.classes:
            totals = [each.totals for each in days if each.arm == name]
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
    needs=("answers",),
    work_out=work_out,
)
