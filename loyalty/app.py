"""The composition root: everything meets here, as a table of slices."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_smorest import Api

from loyalty.access import routes as access_routes
from loyalty.access.errors import KeyMissing, ScopeMissing
from loyalty.access.guard import back_to_real_time, guard
from loyalty.activities import fact_schemas as activities_facts
from loyalty.activities import routes as activities_routes
from loyalty.audit import routes as audit_routes
from loyalty.config import Settings, from_environment
from loyalty.configuration import routes as configuration_routes
from loyalty.db import session
from loyalty.earning import fact_schemas as rules_facts
from loyalty.earning import routes as earning_routes
from loyalty.events import contract as events_contract
from loyalty.events import metrics as events_metrics
from loyalty.events import routes as events_routes
from loyalty.events.schemas import Kind
from loyalty.feedback import fact_schemas as feedback_facts
from loyalty.feedback import routes as feedback_routes
from loyalty.kpis import routes as kpis_routes
from loyalty.kpis import score_routes
from loyalty.ledger import fact_schemas as points_facts
from loyalty.ledger import routes as ledger_routes
from loyalty.members import fact_schemas as members_facts
from loyalty.membership import routes as membership_routes
from loyalty.notifications import admin_routes as notification_admin_routes
from loyalty.notifications import fact_schemas as notifications_facts
from loyalty.notifications import metrics as notifications_metrics
from loyalty.notifications import routes as notifications_routes
from loyalty.notifications import unsubscribe_routes
from loyalty.offers import fact_schemas as offers_facts
from loyalty.orders import fact_schemas as orders_facts
from loyalty.orders import routes as orders_routes
from loyalty.payments import fact_schemas as payments_facts
from loyalty.payments import routes as payments_routes
from loyalty.personalisation import admin_routes as offer_admin_routes
from loyalty.personalisation import fact_schemas as offer_sets_facts
from loyalty.personalisation import routes as offers_routes
from loyalty.personalisation import segment_routes
from loyalty.programs import routes as programs_routes
from loyalty.rehearsals import offer_routes as offer_rehearsals_routes
from loyalty.rehearsals import routes as rehearsals_routes
from loyalty.rewards import admin_routes as reward_admin_routes
from loyalty.rewards import auto_routes as auto_redeem_routes
from loyalty.rewards import fact_schemas as rewards_facts
from loyalty.rewards import routes as rewards_routes
from loyalty.rules import routes as rules_routes
from loyalty.sandbox import routes as sandbox_routes
from loyalty.templates import routes as templates_routes
from loyalty.tiers import fact_schemas as tiers_facts
from loyalty.tiers import grant_routes as tier_grant_routes
from loyalty.tiers import member_routes as tier_member_routes
from loyalty.tiers import routes as tiers_routes
from loyalty.timeline import routes as timeline_routes
from loyalty.vouchers import fact_schemas as vouchers_facts
from loyalty.vouchers import routes as vouchers_routes
from loyalty.web import arguments, logs, openapi, operations, problems, queue_metrics, requests, throttling
from loyalty.web.blueprints import Blueprint
from loyalty.web.metrics import Measures
from loyalty.webhooks import fact_schemas as webhooks_facts
from loyalty.webhooks import metrics as webhooks_metrics
from loyalty.webhooks import routes as webhooks_routes

SLICES: tuple[tuple[Blueprint, str], ...] = (
    # blueprint               scope callers need
    (membership_routes.bp, "members"),
    (ledger_routes.bp, "members"),
    (tier_grant_routes.bp, "members"),
    (tier_member_routes.bp, "members"),
    (notifications_routes.bp, "members"),
    (timeline_routes.bp, "members"),
    (score_routes.bp, "members"),
    (ledger_routes.payments, "rewards"),
    (payments_routes.bp, "rewards"),
    (ledger_routes.proof, "reports"),
    (orders_routes.bp, "orders"),
    (activities_routes.bp, "orders"),
    (feedback_routes.bp, "members"),
    (rewards_routes.bp, "rewards"),
    (offers_routes.bp, "offers"),
    (reward_admin_routes.bp, "admin"),
    (auto_redeem_routes.bp, "admin"),
    (vouchers_routes.bp, "rewards"),
    (vouchers_routes.admin, "admin"),
    (tier_grant_routes.admin, "admin"),
    (programs_routes.bp, "admin"),
    (earning_routes.bp, "admin"),
    (tiers_routes.bp, "admin"),
    (offer_admin_routes.bp, "admin"),
    (segment_routes.bp, "admin"),
    (rules_routes.bp, "admin"),
    (rehearsals_routes.bp, "admin"),
    (rehearsals_routes.of_ladders, "admin"),
    (offer_rehearsals_routes.bp, "admin"),
    (access_routes.bp, "admin"),
    (audit_routes.bp, "admin"),
    (notification_admin_routes.bp, "admin"),
    (sandbox_routes.bp, "admin"),
    (configuration_routes.bp, "admin"),
    (templates_routes.bp, "admin"),
    (events_routes.bp, "reports"),
    (kpis_routes.bp, "reports"),
    (webhooks_routes.bp, "admin"),
    (operations.guarded, "reports"),
)

# What people without a key may open.
OPEN: tuple[Blueprint, ...] = (operations.bp, unsubscribe_routes.bp)

# What each slice tells the log of facts.
FACTS: tuple[Kind, ...] = (
    *members_facts.KINDS, *orders_facts.KINDS, *activities_facts.KINDS, *points_facts.KINDS, *tiers_facts.KINDS,
    *rewards_facts.KINDS, *vouchers_facts.KINDS, *payments_facts.KINDS, *rules_facts.KINDS, *offers_facts.KINDS,
    *offer_sets_facts.KINDS, *feedback_facts.KINDS, *notifications_facts.KINDS, *webhooks_facts.KINDS,
)  # fmt: skip

# What is read from the database for `/metrics`, beside what the processes count.
MEASURES: tuple[Measures, ...] = (
    queue_metrics.measures, events_metrics.measures, notifications_metrics.measures, webhooks_metrics.measures,
)  # fmt: skip


class ContractApi(Api):
    """flask-smorest without its own error shape: problems are ours."""

    def _register_error_handlers(self) -> None:
        """Leave errors to `loyalty.web.problems`."""

    def _register_responses(self) -> None:
        """Leave the responses of errors to `loyalty.web.openapi`."""

    def _register_pagination_header(self) -> None:
        """Pages tell of the next one in their body."""


class Application(Flask):
    """Flask for views that are all synchronous."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: asking whether it is a coroutine, at every layer of every view, costs more than JSON."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The application. Opens no connection: the first request does."""
    settings = settings or from_environment()
    logs.configure(settings.log_level)
    app = Application("loyalty", static_folder=None)
    app.config.update(openapi.CONFIG, MAX_CONTENT_LENGTH=settings.body_max_bytes, METRICS_DIR=settings.metrics_dir)
    app.config["WEBHOOK_NETWORKS"] = settings.webhook_networks
    app.url_map.strict_slashes = True
    requests.init_app(app)
    problems.init_app(app)
    session.init_app(app, settings)
    throttling.init_app(app, settings)
    app.teardown_request(back_to_real_time)
    api = ContractApi(app)
    arguments.init_app(app, api)
    openapi.init_app(api)
    events_contract.describe(api, FACTS)
    for each in OPEN:
        api.register_blueprint(each)
    for blueprint, area in SLICES:
        _register(app, api, blueprint, area)
    app.extensions["loyalty-api"] = api
    app.extensions["loyalty-measures"] = MEASURES
    app.extensions["loyalty-fact-types"] = frozenset(kind.type for kind in FACTS)
    return app


def _register(app: Flask, api: Any, blueprint: Blueprint, area: str) -> None:
    # The guard is attached to the application rather than to the blueprint, which is shared by all applications of a
    # process (tests make several).
    app.before_request_funcs.setdefault(blueprint.name, []).insert(0, guard(area))
    blueprint.guarded(area, KeyMissing, ScopeMissing)
    api.register_blueprint(blueprint)
