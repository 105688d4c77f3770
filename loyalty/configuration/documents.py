"""Configurations as JSON: as they are, and as a document would have them, written in the same way.

Both are written by the shapes that read them, so two ways of saying the same thing look the same here, and whatever is
exported can be imported.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from marshmallow import ValidationError

from loyalty.configuration.schemas import ConfigurationSchema, ProgramConfigurationSchema, RewardConfigurationSchema
from loyalty.core.errors import InvalidRequest
from loyalty.earning.schemas import DraftRulesSchema, DraftSchema
from loyalty.notifications.domain import Settings
from loyalty.notifications.settings_schemas import NewNotificationSettingsSchema
from loyalty.notifications.storing import settings_document
from loyalty.personalisation.set_schemas import ShownOffersSchema
from loyalty.programs.domain import Program
from loyalty.rewards.domain import NewReward
from loyalty.templates.schemas import NewTemplateSchema
from loyalty.templates.templating import Source
from loyalty.tiers.ladder_schemas import NewLadderSchema
from loyalty.web.arguments import pointers

_CONFIGURATION = ConfigurationSchema()
_PROGRAM = ProgramConfigurationSchema()
_REWARD = RewardConfigurationSchema()
_LADDER = NewLadderSchema()
_OFFERS = ShownOffersSchema()
_NOTIFICATIONS = NewNotificationSettingsSchema()
_TEMPLATE = NewTemplateSchema()

# A draft as it is shown and as it is taken: what the two have in common is what it is made of.
_SHOWN, _TAKEN = DraftSchema(), DraftRulesSchema()


def load(text: bytes) -> dict[str, Any]:
    """What a file wants, as the endpoints get it from their requests. Refuses: InvalidRequest."""
    try:
        loaded: dict[str, Any] = _CONFIGURATION.load(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise InvalidRequest([{"pointer": "/", "detail": f"This is not JSON: {error}."}]) from None
    except ValidationError as error:
        raise InvalidRequest(list(pointers(error.normalized_messages()))) from None  # type: ignore[no-untyped-call]
    return loaded


def program_document(program: Program) -> dict[str, Any]:
    """The settings of a program."""
    written: dict[str, Any] = _PROGRAM.dump(program)
    return {"code": written.pop("code"), **written}


def rules_document(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Rules, published or about to be, as a draft: without the versions that publishing gives them."""
    content = {name: stored[name] for name in _TAKEN.fields if name in stored}
    written = {name: value for name, value in _SHOWN.dump(content).items() if name in _TAKEN.fields}
    return {
        name: [{key: of for key, of in item.items() if key != "version"} for item in items]
        for name, items in written.items()
    }


def ladder_document(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A ladder, published or about to be, as a draft."""
    written: dict[str, Any] = _LADDER.dump({name: stored[name] for name in _LADDER.fields if name in stored})
    return written


def offers_document(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Offers, published or about to be, as a draft."""
    written: dict[str, Any] = _OFFERS.dump({name: stored[name] for name in _OFFERS.fields})
    return written


def settings_of_notifications(settings: Settings) -> dict[str, Any]:
    """What a program tells its members."""
    written: dict[str, Any] = _NOTIFICATIONS.dump(settings_document(settings))
    return written


def templates_document(templates: Mapping[tuple[str, str], Source]) -> dict[str, Any]:
    """Templates by kind and language."""
    document: dict[str, Any] = {}
    for (kind, language), template in sorted(templates.items()):
        document.setdefault(kind, {})[language] = _TEMPLATE.dump(template)
    return document


def reward_document(code: str, reward: NewReward) -> dict[str, Any]:
    """A reward; `stock` as it is configured."""
    written: dict[str, Any] = _REWARD.dump({**vars(reward), "code": code})
    return written
