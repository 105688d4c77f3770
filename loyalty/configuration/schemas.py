"""The shape of a configuration: put together from the shapes that the endpoints take."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.earning.schemas import DraftRulesSchema
from loyalty.notifications.settings_schemas import NewNotificationSettingsSchema
from loyalty.personalisation.set_schemas import DraftOffersSchema
from loyalty.programs.domain import Program
from loyalty.programs.schemas import ProgramSettingsSchema
from loyalty.rewards.domain import NewReward
from loyalty.rewards.schemas import NewRewardSchema
from loyalty.templates.kinds import KINDS
from loyalty.templates.schemas import NewTemplateSchema
from loyalty.tiers.ladder_schemas import NewLadderSchema
from loyalty.web.fields import ByName, Code, Locale, Whole

FORMAT = 1

# A document should fit into a request. A larger catalogue goes in several: what one does not name stays.
REWARDS_MAX = 1_000

# What a program is, rather than how it is set up: an import leaves it as it is.
OF_THE_PROGRAM = ("code", "currency", "time_zone")


class ProgramConfigurationSchema(ProgramSettingsSchema):
    """Settings of a program. `code`, `currency` and `time_zone` say where they come from; an import leaves them."""

    code = Code()

    @post_load
    def _settings(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if name not in OF_THE_PROGRAM}

    @pre_dump
    def _as_document(self, program: Program, **_kwargs: Any) -> dict[str, Any]:
        return asdict(program)


class RewardConfigurationSchema(NewRewardSchema):
    """A reward with its code. `stock` is what there is to give; what is left of it is counted, not configured."""

    code = Code(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **kwargs: Any) -> Any:
        code = data.pop("code")
        return code, super()._build(data, **kwargs)


class ConfigurationSchema(Schema):
    """The configuration of a program. What is absent at this level stays as it is."""

    format = Whole(least=FORMAT, most=FORMAT, required=True, metadata={"description": "The version of this shape."})
    program = fields.Nested(ProgramConfigurationSchema)
    earning_rules = fields.Nested(
        DraftRulesSchema, metadata={"description": "The rules in force: a draft as PUT …/earning-rules/draft takes it."}
    )
    ladder = fields.Nested(
        NewLadderSchema,
        allow_none=True,
        metadata={"description": "The tiers in force: a draft as PUT …/ladder/draft takes it. Absent: none."},
    )
    offers = fields.Nested(
        DraftOffersSchema,
        allow_none=True,
        metadata={"description": "The offers in force: a draft as PUT …/offers/draft takes it. Absent: none."},
    )
    rewards = fields.List(
        fields.Nested(RewardConfigurationSchema),
        validate=Length(max=REWARDS_MAX),
        metadata={"description": "Rewards by code. A reward that is not named stays as it is."},
    )
    notification_settings = fields.Nested(
        NewNotificationSettingsSchema,
        metadata={"description": "What members are told, as PUT …/notification-settings takes it."},
    )
    notification_templates = ByName(
        fields.String(validate=OneOf(list(KINDS))),
        ByName(Locale(), NewTemplateSchema),
        validate=Length(max=len(KINDS)),
        metadata={"description": "The program's own templates by kind and language. One that is not named stays."},
    )

    @validates_schema(skip_on_field_errors=True)
    def _each_once(self, data: dict[str, Any], **_kwargs: Any) -> None:
        rewards: list[tuple[str, NewReward]] = data.get("rewards", [])
        counted = Counter(code for code, _ in rewards)
        twice = {number: code for number, (code, _) in enumerate(rewards) if counted[code] > 1}
        if twice:
            found = {number: {"code": [f"Several rewards have the code {code}."]} for number, code in twice.items()}
            raise ValidationError({"rewards": found})


class ChangeSchema(Schema):
    """One place that differs: `path` is a JSON pointer; `before` is null for what is new, `after` for what goes."""

    path = fields.String(required=True)
    action = fields.String(required=True, validate=OneOf(["add", "remove", "change"]))
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class ComparisonSchema(Schema):
    """What a document changes; `kept` are the rewards that it does not name, which stay."""

    changes = fields.List(fields.Nested(ChangeSchema), required=True)
    kept = fields.List(fields.String(), required=True)
