"""The program of the caller's key over HTTP: reading and changing its settings."""

from typing import Any

import pytest

from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import NOW, a_key, a_program, order_json
from tests.clocks import it_is

PROGRAM = "/v1/admin/program"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def change(api: Api, settings: dict[str, Any]) -> Any:
    return api.patch(PROGRAM, settings, headers={"If-Match": api.get(PROGRAM).headers["ETag"]})


def refused_at(response: Any) -> list[str]:
    assert response.status_code == 422, response.json
    assert response.json["code"] == "invalid-request"
    return [error["pointer"] for error in response.json["errors"]]


def a_rate(**changes: str) -> dict[str, str]:
    """A rate set by hand."""
    return {"from": "2026-01-01", "rate": "0.95", "reason": "Agreed with the auditors"} | changes


def test_a_new_program_starts_with_the_documented_settings(api: Api):
    answer = api.get(PROGRAM)

    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"1"'
    assert {name: value for name, value in answer.json.items() if name not in ("code", "name")} == {
        "currency": "EUR",
        "time_zone": "UTC",
        "locale": "en",
        "sandbox": False,
        "auto_enrol": False,
        "version": 1,
        "rounding": "floor",
        "earn": {"tax": "included", "shipping": False, "points_paid": False},
        "stacking": {"base": "sum", "multiplier": "product"},
        "units": {
            "points": {
                "activation": {"mode": "immediate"},
                "expiry": {"mode": "rolling", "months": 12, "round_to": None},
            }
        },
        "returns": {"policy": "clamp", "grace_days": 30, "max_debt": None},
        "reinstatement": {"window_days": 90, "valid_days": 30},
        "pay": {"points": 1, "amount": 1, "min_points": 0, "max_percent": 100, "step": 1, "require_payment": False},
        "feedback": {"nps_low": 6, "csat_low": 2, "ces_low": 3},
        "auto_redeem": None,
        "holdout_percent": 0,
        "liability": {"value_per_point": None, "redemption_rate": []},
    }


def test_a_change_answers_the_new_settings_and_their_version(api: Api):
    answer = change(api, {"name": "Coffee club", "rounding": "half_up"})

    assert answer.status_code == 200
    assert (answer.json["name"], answer.json["rounding"], answer.json["version"]) == ("Coffee club", "half_up", 2)
    assert answer.headers["ETag"] == '"2"'
    assert api.get(PROGRAM).json == answer.json


def test_what_a_change_leaves_out_stays(api: Api):
    change(api, {"earn": {"shipping": True}, "pay": {"points": 100}, "time_zone": "Europe/Warsaw"})

    answer = change(api, {"earn": {"tax": "excluded"}, "locale": "pl"}).json

    assert answer["earn"] == {"tax": "excluded", "shipping": True, "points_paid": False}
    unchanged = {"amount": 1, "min_points": 0, "max_percent": 100, "step": 1, "require_payment": False}
    assert answer["pay"] == {"points": 100, **unchanged}
    assert (answer["time_zone"], answer["locale"]) == ("Europe/Warsaw", "pl")


def test_a_change_without_the_version_it_was_made_from_is_refused(api: Api):
    answer = api.patch(PROGRAM, {"name": "Other"})

    assert (answer.status_code, answer.json["code"]) == (428, "precondition-required")
    assert api.get(PROGRAM).json["version"] == 1


def test_a_change_made_from_an_older_version_is_refused_and_told_the_current(api: Api):
    change(api, {"name": "First"})

    answer = api.patch(PROGRAM, {"name": "Second"}, headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.json["code"]) == (412, "stale-version")
    assert (answer.json["expected"], answer.json["current"]) == (1, 2)
    assert api.get(PROGRAM).json["name"] == "First"


def test_a_version_that_is_no_version_is_refused(api: Api):
    assert refused_at(api.patch(PROGRAM, {"name": "A"}, headers={"If-Match": '"latest"'})) == ["If-Match"]


def test_a_weak_tag_names_the_same_version(api: Api):
    assert api.patch(PROGRAM, {"name": "A"}, headers={"If-Match": 'W/"1"'}).status_code == 200


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "Ż" * 120},
        {"currency": "JPY"},
        {"time_zone": "America/Argentina/Buenos_Aires"},
        {"locale": "pt-BR"},
        {"auto_enrol": True},
        {"rounding": "ceil"},
        {"earn": {"tax": "added", "shipping": True, "points_paid": True}},
        {"stacking": {"base": "best", "multiplier": "best"}},
        {"returns": {"policy": "debt", "grace_days": 0, "max_debt": None}},
        {"returns": {"policy": "debt", "grace_days": 30, "max_debt": 500}},
        {"reinstatement": {"window_days": 0, "valid_days": 1}},
        {
            "pay": {
                "points": 100,
                "amount": 1,
                "min_points": 500,
                "max_percent": 50,
                "step": 10,
                "require_payment": True,
            }
        },
        {"holdout_percent": 100},
        {"liability": {"value_per_point": "0.008", "redemption_rate": []}},
        {
            "liability": {
                "value_per_point": None,
                "redemption_rate": [
                    {"from": "2026-01-01", "rate": "0.95", "reason": "Agreed with the auditors"},
                    {"from": "2027-01-01", "rate": "0.97", "reason": "More was redeemed than we thought"},
                ],
            }
        },
    ],
)
def test_a_setting_is_kept_as_it_was_given(api: Api, settings: dict[str, Any]):
    answer = change(api, settings)

    assert answer.status_code == 200, answer.json
    assert {name: api.get(PROGRAM).json[name] for name in settings} == settings


@pytest.mark.parametrize(
    ("activation", "expiry"),
    [
        ({"mode": "immediate"}, {"mode": "never"}),
        ({"mode": "delay", "days": 14}, {"mode": "rolling", "days": 90, "round_to": None}),
        ({"mode": "delay", "months": 1}, {"mode": "rolling", "years": 2, "round_to": "quarter"}),
        ({"mode": "delay", "days": 1, "months": 1}, {"mode": "calendar", "dates": ["02-29", "12-31"]}),
        ({"mode": "on_event"}, {"mode": "inactivity", "months": 12}),
        ({"mode": "on_event", "deadline_days": 60}, {"mode": "inactivity", "days": 90}),
    ],
)
def test_the_terms_of_points_are_kept_as_they_were_given(api: Api, activation: dict[str, Any], expiry: dict[str, Any]):
    units = {"points": {"activation": activation, "expiry": expiry}}

    assert change(api, {"units": units}).json["units"] == units
    assert api.get(PROGRAM).json["units"] == units


def test_a_unit_that_was_added_stands_beside_points_and_stays(api: Api):
    miles = {"activation": {"mode": "on_event"}, "expiry": {"mode": "never"}}
    points = api.get(PROGRAM).json["units"]["points"]

    change(api, {"units": {"miles": miles}})
    changed = change(api, {"units": {"points": {**points, "expiry": {"mode": "never"}}}})

    assert changed.json["units"] == {"points": {**points, "expiry": {"mode": "never"}}, "miles": miles}


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 121}, "/name"),
        ({"name": "a\u0000b"}, "/name"),
        ({"name": None}, "/name"),
        ({"currency": "eur"}, "/currency"),
        ({"currency": "EURO"}, "/currency"),
        ({"time_zone": "Europe/Atlantis"}, "/time_zone"),
        ({"time_zone": "../etc/passwd"}, "/time_zone"),
        ({"time_zone": "Europe"}, "/time_zone"),
        ({"time_zone": ""}, "/time_zone"),
        ({"locale": "English"}, "/locale"),
        ({"auto_enrol": "yes"}, "/auto_enrol"),
        ({"auto_enrol": 1}, "/auto_enrol"),
        ({"rounding": "up"}, "/rounding"),
        ({"earn": {"tax": "none"}}, "/earn/tax"),
        ({"earn": {"shipping": "true"}}, "/earn/shipping"),
        ({"earn": {"points_paid": None}}, "/earn/points_paid"),
        ({"stacking": {"base": "max"}}, "/stacking/base"),
        ({"stacking": {"multiplier": "sum"}}, "/stacking/multiplier"),
        ({"returns": {"policy": "forgive"}}, "/returns/policy"),
        ({"returns": {"grace_days": -1}}, "/returns/grace_days"),
        ({"returns": {"grace_days": 3651}}, "/returns/grace_days"),
        ({"pay": {"points": 0}}, "/pay/points"),
        ({"pay": {"amount": 0}}, "/pay/amount"),
        ({"pay": {"min_points": -1}}, "/pay/min_points"),
        ({"pay": {"max_percent": 101}}, "/pay/max_percent"),
        ({"pay": {"step": 1.5}}, "/pay/step"),
        ({"holdout_percent": 101}, "/holdout_percent"),
        ({"holdout_percent": "5"}, "/holdout_percent"),
        ({"liability": {"value_per_point": 0.01}}, "/liability/value_per_point"),
        ({"liability": {"value_per_point": "0"}}, "/liability/value_per_point"),
        ({"liability": {"redemption_rate": [a_rate(rate="1.01")]}}, "/liability/redemption_rate/0/rate"),
        ({"liability": {"redemption_rate": [a_rate(reason="")]}}, "/liability/redemption_rate/0/reason"),
        ({"liability": {"redemption_rate": [a_rate(), a_rate()]}}, "/liability/redemption_rate/1/from"),
        ({"code": "other"}, "/code"),
        ({"sandbox": True}, "/sandbox"),
        ({"version": 7}, "/version"),
        ({"colour": "red"}, "/colour"),
        ({"units": {}}, "/units"),
        ({"returns": {"max_debt": -1}}, "/returns/max_debt"),
        ({"reinstatement": {"window_days": -1}}, "/reinstatement/window_days"),
        ({"reinstatement": {"valid_days": 0}}, "/reinstatement/valid_days"),
        ({"units": {"Miles!": {}}}, "/units/Miles!"),
        ({"units": {"miles": {}}}, "/units/miles/activation"),
        ({"units": {"points": {"activation": {"mode": "immediate"}}}}, "/units/points/expiry"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_where_it_stands(api: Api, settings: dict[str, Any], pointer: str):
    assert pointer in refused_at(change(api, settings))
    assert api.get(PROGRAM).json["version"] == 1


@pytest.mark.parametrize(
    ("activation", "expiry", "pointer"),
    [
        ({"mode": "delay"}, {"mode": "never"}, "activation/days"),
        ({"mode": "delay", "days": 0, "months": 0}, {"mode": "never"}, "activation/days"),
        ({"mode": "delay", "days": 36_501}, {"mode": "never"}, "activation/days"),
        ({"mode": "delay", "months": -1}, {"mode": "never"}, "activation/months"),
        ({"mode": "immediate", "days": 1}, {"mode": "never"}, "activation/mode"),
        ({"mode": "some day"}, {"mode": "never"}, "activation/mode"),
        ({}, {"mode": "never"}, "activation/mode"),
        ({"mode": "on_event", "days": 1}, {"mode": "never"}, "activation/mode"),
        ({"mode": "on_event", "deadline_days": 0}, {"mode": "never"}, "activation/deadline_days"),
        ({"mode": "delay", "days": 1, "deadline_days": 9}, {"mode": "never"}, "activation/deadline_days"),
        ({"mode": "immediate"}, {"mode": "inactivity"}, "expiry/months"),
        ({"mode": "immediate"}, {"mode": "inactivity", "days": 90, "round_to": "month"}, "expiry/mode"),
        ({"mode": "immediate"}, {"mode": "inactivity", "days": 90, "dates": ["12-31"]}, "expiry/dates"),
        ({"mode": "immediate"}, {"mode": "rolling"}, "expiry/months"),
        ({"mode": "immediate"}, {"mode": "rolling", "months": 0}, "expiry/months"),
        ({"mode": "immediate"}, {"mode": "rolling", "years": 101}, "expiry/years"),
        ({"mode": "immediate"}, {"mode": "rolling", "months": 1, "round_to": "week"}, "expiry/round_to"),
        ({"mode": "immediate"}, {"mode": "rolling", "months": 1, "dates": ["12-31"]}, "expiry/dates"),
        ({"mode": "immediate"}, {"mode": "never", "months": 1}, "expiry/mode"),
        ({"mode": "immediate"}, {"mode": "never", "round_to": "month"}, "expiry/mode"),
        ({"mode": "immediate"}, {"mode": "calendar"}, "expiry/dates"),
        ({"mode": "immediate"}, {"mode": "calendar", "dates": []}, "expiry/dates"),
        ({"mode": "immediate"}, {"mode": "calendar", "dates": ["13-01"]}, "expiry/dates/0"),
        ({"mode": "immediate"}, {"mode": "calendar", "dates": ["12-31", "1-1"]}, "expiry/dates/1"),
        ({"mode": "immediate"}, {"mode": "calendar", "dates": ["02-30"]}, "expiry/dates"),
        ({"mode": "immediate"}, {"mode": "calendar", "dates": ["04-31"]}, "expiry/dates"),
    ],
)
def test_terms_that_make_no_sense_are_refused(
    api: Api, activation: dict[str, Any], expiry: dict[str, Any], pointer: str
):
    answer = change(api, {"units": {"points": {"activation": activation, "expiry": expiry}}})

    assert refused_at(answer) == [f"/units/points/{pointer}"]


@pytest.mark.parametrize(
    ("settings", "awarded"),
    [
        ({"rounding": "ceil"}, 20),
        ({"rounding": "half_up"}, 20),
        ({"rounding": "floor"}, 19),
        ({"earn": {"tax": "excluded"}}, 16),
        ({"earn": {"tax": "added"}}, 23),
        ({"earn": {"shipping": True}}, 24),
        ({"earn": {"points_paid": True}}, 22),
    ],
)
def test_the_next_order_is_judged_by_a_change(api: Api, settings: dict[str, Any], awarded: int):
    api.enrol("c-42")
    first = api.post("/v1/orders", an_order_of_19_50())
    assert first.json["points"]["awarded"] == 19

    change(api, settings)

    assert api.post("/v1/orders", an_order_of_19_50()).json["points"]["awarded"] == awarded


def test_the_next_order_matures_and_lapses_by_changed_terms_of_the_changed_zone(api: Api):
    api.enrol("c-42")
    api.post("/v1/orders", order_json())

    terms = {"activation": {"mode": "delay", "days": 14}, "expiry": {"mode": "calendar", "dates": ["12-31"]}}
    change(api, {"time_zone": "Europe/Warsaw", "units": {"points": terms}})

    award = api.post("/v1/orders", order_json(placed_at="2026-03-01T10:00:00Z")).json["awards"][0]
    assert award["matures_at"] == "2026-03-15T10:00:00Z"
    assert award["expires_at"] == "2026-12-31T23:00:00Z"


def test_the_next_order_may_come_in_the_changed_currency_and_no_other(api: Api):
    api.enrol("c-42")
    api.post("/v1/orders", order_json())

    change(api, {"currency": "PLN"})

    assert api.post("/v1/orders", order_json(currency="PLN")).status_code == 201
    assert api.post("/v1/orders", order_json(currency="EUR")).json["code"] == "currency-mismatch"


def test_the_next_order_enrols_a_stranger_once_the_program_says_so(api: Api):
    assert api.post("/v1/orders", order_json(customer_id="stranger")).json["code"] == "member-not-found"

    change(api, {"auto_enrol": True})

    assert api.post("/v1/orders", order_json(customer_id="stranger")).status_code == 201


def test_a_program_is_changed_by_its_own_keys_alone(api: Api):
    change(api, {"name": "Mine"})

    other = another_program(api)

    assert other.get(PROGRAM).json["name"] != "Mine"
    assert other.get(PROGRAM).json["version"] == 1


def an_order_of_19_50() -> dict[str, Any]:
    # 22.50, of which 3.00 were paid with points; 3.50 are tax; the shipping of 4.90 comes on top.
    line = {"line_id": "1", "sku": "A", "quantity": 1, "unit_price": 2250, "tax": 350}
    return order_json(lines=[line], shipping=490, points_paid=300)


def another_program(api: Api) -> Api:
    with api.app.app_context(), transaction() as session:
        program = a_program(session)
        return Api(api.app, program, a_key(session, program))
