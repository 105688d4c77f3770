"""What is said about a condition before it judges anybody."""

import pytest

from loyalty.rules.findings import findings
from loyalty.rules.vocabulary import EXAMPLES, SCOPES, VARIABLES, Field, variables


def said(source: str, scope: str = "order") -> list[tuple[str, str, str]]:
    return [(found.level, found.code, found.detail) for found in findings(source, scope)]


@pytest.mark.parametrize(("scope", "source"), [(scope, source) for scope, source, _ in EXAMPLES])
def test_nothing_is_to_be_said_about_the_published_examples(scope, source):
    assert findings(source, scope) == []


def test_what_is_misspelt_is_guessed():
    assert said("ordr.basis > 3") == [("error", "unknown-variable", "There is no ordr. Did you mean order?")]
    assert said("order.bassis > 3") == [("error", "unknown-field", "order has no bassis. Did you mean basis?")]
    assert said("order.lines.exists(l, l.skuu == 'a')") == [
        ("error", "unknown-field", "l has no skuu. Did you mean sku?")
    ]
    assert said("history.categories['tea'].order == 0") == [
        ("error", "unknown-field", "history.categories['tea'] has no order. Did you mean orders?")
    ]


def test_an_unknown_field_is_found_behind_what_decides_without_it():
    assert said("true || order.bassis > 3")[0][1] == "unknown-field"


def test_each_scope_has_its_own_variables():
    assert said("line.basis > 1", "order")[0][2].startswith("line cannot be named here. It is there for: Base and")
    assert said("order.basis > 1", "member")[0][1] == "unknown-variable"
    assert said("order.lines.size() > 1", "line")[0][1] == "unknown-field"
    assert said("order.lines.size() > 1", "order") == []
    assert said("activity.type == 'review'", "activity") == []


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("order.basis > (", "syntax"),
        ("order.skus.exists(a, order.skus.exists(b, a == b))", "bound"),
        ("order.basis", "not-a-condition"),
        ("order.metadata", "not-a-condition"),
        ("order.basis > 3 ? true : order.basis", "not-a-condition"),
        ("order.basis > '3'", "type"),
        ("false && order.basis > '3'", "type"),
        ("member.enrolled_at > timestamp('yesterday')", "type"),
        ("history.orders.x > 3", "unknown-field"),
        ("order.lines.basis > 3", "unknown-field"),
        ("order.skus.exists(s, s.x == 1)", "unknown-field"),
        ("1 == 1", "constant"),
        ("true || order.basis > 1", "constant"),
    ],
)
def test_what_is_wrong_has_a_code(source, code):
    assert [found[1] for found in said(source)] == [code]


@pytest.mark.parametrize(
    ("scope", "source", "advice"),
    [
        ("member", "member.age >= 18", "member.age != null && member.age >= 18"),
        ("order", "history.orders > 5 && member.age >= 18", "member.age != null && member.age >= 18"),
        ("order", "member.age != null || member.age >= 18", "member.age != null && …"),
        ("order", "has(member.age) && member.age >= 18", "member.age != null && …"),
        ("order", 'order.metadata.gift == "yes"', 'has(order.metadata.gift) && order.metadata.gift == "yes"'),
        ("order", "order.lines.exists(l, l.category.startsWith('a'))", "l.category != null && …"),
        ("line", "line.category.startsWith('a')", "line.category != null && line.category.startsWith('a')"),
        ("line", "history.categories[line.sku].orders > 0", "… in history.categories && "),
        ("order", "history.spend / history.orders > 50", "The rule does not apply then."),
        ("order", "order.lines[1].basis > 3", "The rule does not apply then."),
    ],
)
def test_what_may_be_missing_comes_with_advice(scope, source, advice):
    ((level, code, detail),) = said(source, scope)
    assert (level, code) == ("warning", "missing-value")
    assert advice in detail


@pytest.mark.parametrize(
    "source",
    [
        "member.age != null && member.age >= 18",
        "member.age == null || member.age >= 18",
        "member.age != null ? member.age >= 18 : false",
        'member.tier == "gold"',
        "has(order.metadata.n) && order.metadata.n > 3",
        "has(order.metadata.a) && has(order.metadata.a.b) && order.metadata.a.b == true",
        "has(order.metadata.a) && order.metadata.a.startsWith('t') && has(order.metadata.n) && order.metadata.n > 0",
        "history.orders > 0 && history.spend / history.orders > 50",
        'history.categories["never bought"].orders == 0',
        "order.lines.exists(l, l.category != null && l.category.startsWith('a'))",
        "history.categories.exists(c, c.startsWith('coffee'))",
    ],
)
def test_who_asks_first_is_told_nothing(source):
    assert findings(source, "order") == []


def _paths(field: Field, before: str = "", above: tuple[str, ...] = tuple(SCOPES)) -> list[tuple[str, Field, set[str]]]:
    path, scopes = f"{before}{field.name}", {*field.scopes} & {*above}
    inner = {"list": f"{path}[0].", "map": f'{path}["coffee"].'}.get(field.kind, f"{path}.")
    return [(path, field, scopes), *(found for part in field.fields for found in _paths(part, inner, tuple(scopes)))]


@pytest.mark.parametrize("scope", SCOPES)
def test_every_published_field_can_be_named_in_its_scopes(scope):
    for variable in variables(scope).values():
        for path, _field, scopes in _paths(variable):
            errors = [found for found in findings(f"{path} == null", scope) if found.level == "error"]
            assert bool(errors) == (scope not in scopes), (path, errors)


def test_every_published_field_says_what_it_is():
    for variable in VARIABLES:
        for _path, field, _scopes in _paths(variable):
            assert field.description.endswith((".", ".orders."))
            assert field.fields or field.example is not None
