"""The published context over HTTP."""

from loyalty.rules.vocabulary import VARIABLES
from tests.api import Api


def test_the_context_lists_what_conditions_may_name(api: Api):
    context = api.get("/v1/admin/rule-context").json

    assert [variable["name"] for variable in context["variables"]] == [variable.name for variable in VARIABLES]
    scopes = {scope["scope"]: scope["variables"] for scope in context["scopes"]}
    assert scopes["line"] == ["member", "history", "features", "order", "line", "now", "local"]
    assert scopes["member"] == ["member", "history", "features", "now", "local"]
    member = context["variables"][0]
    age = next(field for field in member["fields"] if field["name"] == "age")
    assert (age["type"], age["optional"], age["example"]) == ("int", True, 34)


def test_it_lists_functions_bounds_and_examples_to_begin_from(api: Api):
    context = api.get("/v1/admin/rule-context").json
    assert {"startsWith", "has", "size"} <= {function["name"] for function in context["functions"]}
    assert [macro["name"] for macro in context["macros"]] == ["all", "exists", "exists_one", "filter"]
    assert context["bounds"]["length"] == 1000
    assert {example["scope"] for example in context["examples"]} == {"line", "order", "activity", "member"}


def test_it_needs_a_key_that_administers(api: Api):
    assert api.get("/v1/admin/rule-context", headers={"Authorization": ""}).status_code == 401
