"""A program's settings as frozen values."""

from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from loyalty.programs.terms import Activation, Expiry

Rounding = Literal["floor", "half_up", "ceil"]

AT_ONCE = Activation()
A_YEAR = Expiry(mode="rolling", months=12)

# The unit every program has. A program may add others.
POINTS = "points"


@dataclass(frozen=True, slots=True)
class EarnSettings:
    """What of an order earns.

    `tax`: "included", lines earn on their price as given; "excluded", their tax is taken off first; "added", it is put
    on top (for prices given without it). `points_paid`: whether the part paid with points earns.
    """

    tax: Literal["included", "excluded", "added"] = "included"
    shipping: bool = False
    points_paid: bool = False


@dataclass(frozen=True, slots=True)
class Stacking:
    """What happens when several rules match: base points add up or the best counts; multipliers likewise."""

    base: Literal["sum", "best"] = "sum"
    multiplier: Literal["product", "best"] = "product"


@dataclass(frozen=True, slots=True)
class UnitTerms:
    """When points of one unit become available and when they lapse."""

    activation: Activation = AT_ONCE
    expiry: Expiry = A_YEAR


@dataclass(frozen=True, slots=True)
class ReturnSettings:
    """What a return does when points are already spent: forgive (`clamp`), or owe (`debt`), `max_debt` at the most.

    Points that were spent on what is returned, and whose lot lapsed meanwhile, live for another `grace_days`; with 0
    they are forfeited.
    """

    policy: Literal["clamp", "debt"] = "clamp"
    grace_days: int = 30
    max_debt: int | None = None


@dataclass(frozen=True, slots=True)
class ReinstatementSettings:
    """For how many days lapsed points can be brought back by hand, and how long they live then."""

    window_days: int = 90
    valid_days: int = 30


@dataclass(frozen=True, slots=True)
class PaySettings:
    """Paying with points: `points` are worth `amount` minor units, within limits.

    `require_payment`: an order that was paid with points must name the payment.
    """

    points: int = 1
    amount: int = 1
    min_points: int = 0
    max_percent: int = 100
    step: int = 1
    require_payment: bool = False


@dataclass(frozen=True, slots=True)
class FeedbackSettings:
    """Up to which score an answer is so low that somebody should act, by kind; None: none is."""

    nps_low: int | None = 6
    csat_low: int | None = 2
    ces_low: int | None = 3

    def is_low(self, kind: str, score: int) -> bool:
        """Whether somebody should act."""
        most = {"nps": self.nps_low, "csat": self.csat_low, "ces": self.ces_low}[kind]
        return most is not None and score <= most


@dataclass(frozen=True, slots=True)
class AutoRedeem:
    """The reward that members are given by themselves, as soon as their points suffice."""

    reward: str


@dataclass(frozen=True, slots=True)
class ExpectedRate:
    """What share of the points the books expect to be redeemed, from a day on, and who says why. Texts, as written."""

    since: str
    rate: str
    reason: str

    @property
    def begins(self) -> date:
        """The first day of which it is said."""
        return date.fromisoformat(self.since)

    @property
    def share(self) -> Decimal:
        """The rate, as a number."""
        return Decimal(self.rate)


@dataclass(frozen=True, slots=True)
class LiabilitySettings:
    """What points are worth in the books.

    `value_per_point`: in the currency (0.01 is a cent); None: what a point pays. `redemption_rate`: what share of the
    points is expected to be redeemed, each from its day on; what is not said is estimated from what members did.
    """

    value_per_point: str | None = None
    redemption_rate: tuple[ExpectedRate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProgram:
    """What a program needs to exist; the rest has defaults and is changed later."""

    code: str
    name: str = ""
    currency: str = "EUR"
    time_zone: str = "UTC"
    locale: str = "en"
    sandbox: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program's settings at one version. `config_version` moves with any change of its configuration.

    `notice_points` is worked out, not set: the ledger makes a note of members who have so many points to spend, for
    whoever waits for it (None: nobody does).
    """

    program_id: UUID
    code: str
    name: str
    currency: str
    time_zone: str
    locale: str
    sandbox: bool
    version: int
    config_version: int
    auto_enrol: bool = False
    rounding: Rounding = "floor"
    earn: EarnSettings = EarnSettings()
    stacking: Stacking = Stacking()
    units: dict[str, UnitTerms] = field(default_factory=lambda: {POINTS: UnitTerms()})
    returns: ReturnSettings = ReturnSettings()
    reinstatement: ReinstatementSettings = ReinstatementSettings()
    pay: PaySettings = PaySettings()
    feedback: FeedbackSettings = FeedbackSettings()
    auto_redeem: AutoRedeem | None = None
    holdout_percent: int = 0
    liability: LiabilitySettings = LiabilitySettings()
    notice_points: int | None = None


# What a program is called by whom, what counts its changes, and what is worked out from others, is no setting of it.
NOT_SETTINGS = ("program_id", "version", "config_version", "notice_points")


def document_of(program: Program) -> dict[str, Any]:
    """All settings of a program, defaults spelt out, as one document. `program_from` is the inverse."""
    return {name: value for name, value in asdict(program).items() if name not in NOT_SETTINGS}


def program_from(document: dict[str, Any], **numbers: Any) -> Program:
    """A program from the document of its settings, and its id and versions."""
    named = ("code", "name", "currency", "time_zone", "locale", "sandbox")
    return Program(**{name: document[name] for name in named}, **settings_from(document), **numbers)


def with_changes(program: Program, changes: dict[str, Any]) -> Program:
    """The program as it would be with some settings changed: what is given is changed, what is absent stays."""
    document = document_of(program)
    for name, value in changes.items():
        document[name] = {**(document[name] or {}), **value} if isinstance(value, dict) else value
    return program_from(document, **{name: getattr(program, name) for name in NOT_SETTINGS})


def settings_from(stored: dict[str, Any]) -> dict[str, Any]:
    """The settings a program keeps as one document, as values. The inverse of `dataclasses.asdict`."""
    made: dict[str, Any] = {k: stored[k] for k in ("auto_enrol", "rounding", "holdout_percent") if k in stored}
    nested = {
        "earn": EarnSettings, "stacking": Stacking, "returns": ReturnSettings, "pay": PaySettings,
        "reinstatement": ReinstatementSettings, "feedback": FeedbackSettings, "auto_redeem": AutoRedeem,
    }  # fmt: skip
    made |= {name: kind(**stored[name]) for name, kind in nested.items() if stored.get(name) is not None}
    if (liability := stored.get("liability")) is not None:
        rates = tuple(ExpectedRate(**rate) for rate in liability.get("redemption_rate", ()))
        made["liability"] = LiabilitySettings(**{**liability, "redemption_rate": rates})
    if "units" in stored:
        stored_units = {unit: unit_terms_from(terms) for unit, terms in stored["units"].items()}
        made["units"] = {POINTS: UnitTerms(), **stored_units}
    return made


def unit_terms_from(stored: dict[str, Any]) -> UnitTerms:
    """The terms of one unit, from their stored form."""
    expiry = dict(stored["expiry"])
    expiry["dates"] = tuple(expiry.get("dates", ()))
    return UnitTerms(Activation(**stored["activation"]), Expiry(**expiry))
