"""The bounds of the language, and what it says about what is written wrongly."""

import time

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.rules.errors import BoundBroken, ExpressionInvalid, Unanswerable
from loyalty.rules.expressions import condition
from loyalty.rules.findings import findings
from loyalty.rules.syntax import FUNCTIONS, MACROS, METHODS, operands, read
from loyalty.rules.vocabulary import SCOPES
from tests.rules.values import an_environment


def why(source: str) -> str:
    with pytest.raises(ExpressionInvalid) as refused:
        condition(source)
    return refused.value.detail


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("", "The condition is empty."),
        (" // nothing", "The condition is empty."),
        ("order.basis = 1", "Compare with == rather than =."),
        ("true & false", "Write && for and."),
        ("true and false", "Write && rather than and."),
        ("not true", "Write ! rather than not."),
        ("order.channel == “web”", 'Use straight quotes: "…".'),
        ('order.channel == "web', "A text that begins here has no end."),
        ("(true", "The ( is never closed."),
        ("true)", "The ) closes nothing."),
        ("true) || (true", "The ) closes nothing."),
        ("order.basis >", "Something is missing at the end of the condition."),
        (".order.basis > 1", "Nothing stands before this dot."),
        ("has(order)", "has() takes a field with its dots: has(order.metadata.gift)."),
        ("order.if == 1 && if", "if is a reserved word and cannot be used as a name."),
        ("order.basis > 99999999999999999999", "This number or text cannot be read: 99999999999999999999"),
        ('order["\\q"] == 1', 'The text "\\q" has an escape that means nothing.'),
        ('b"ab" == b"ab"', 'Write a text without the letter b: "…".'),
        ("order.basis > 1u", "Write whole numbers without the letter u."),
        ("__lines0.size() > 0", "Names that begin with two underscores are reserved."),
        ("Order{basis: 1} == order", "A { cannot follow a name."),
        ("order.lines.exists(true)", "exists needs a name and what is asked of it: list.exists(item, …)."),
    ],
)
def test_what_is_written_wrongly_is_explained(source, detail):
    assert why(source) == detail


@pytest.mark.parametrize(
    "source",
    [
        "1 == 1 || " * 100 + "true",
        "(" * 13 + "true" + ")" * 13,
        "1 in [" + ", ".join("1" for _ in range(101)) + "]",
        " || ".join(["true"] * 52),
        "order.lines.exists(a, order.skus.exists(b, a.sku == b))",
        "order.lines.all(l, order.lines.size() > 3)",
        "order.lines.exists(l, l.sku == line.sku)",
        "order.skus.exists(s, s == line.sku)",
        "order.lines.filter(l, l.basis > 1)[0].basis == 2",
        'order.channel.matches("(a{1000}){1000}")',
        'order.channel.matches("\\\\w\\\\w\\\\w\\\\w\\\\w")',
        "order.channel.matches(member.locale)",
    ],
)
def test_what_could_cost_too_much_is_refused(source):
    with pytest.raises(BoundBroken):
        condition(source)


@pytest.mark.parametrize(
    "source",
    [
        "order.lines.map(l, l.sku) == []",
        "type(order) == int",
        "dyn(1) == 1",
        "order.skus.sort() == []",
        "max(1, 2) > 1",
    ],
)
def test_only_known_functions_may_be_called(source):
    assert why(source).startswith("There is no function")


@pytest.mark.parametrize("example", [*FUNCTIONS.values(), *METHODS.values(), *MACROS.values()])
def test_the_published_use_of_every_function_can_be_asked(example):
    assert not [
        found for found in findings(example, "line" if "line." in example else "order") if found.level == "error"
    ]


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("a && !(b || c) ? d : e", ["a", "b", "c", "d", "e"]),
        ('{"a": 1}.a == 1', []),
        ("x.exists(l, l && m) || b", ["x.exists(l, l && m)", "b"]),
        ("a", []),
    ],
)
def test_operands_are_conditions_of_their_own(source, parts):
    assert operands(source) == parts


@pytest.mark.parametrize(
    "text", ["'a'", '"a"', "'''a'b'''", '"""a"b"""', r"r'a\n'", r"'a\'b'", r'R"a\"', "'//'", "'é'"]
)
def test_texts_end_where_cel_ends_them(text):
    assert cel.compile(f"{text} == {text}").execute() is True
    assert condition(f"{text} == {text}").paths == frozenset()


_NAMES = st.sampled_from(["order", "history", "member", "line", "now", "local", "nobody", "order.basis", "member.age"])
_FIELDS = st.sampled_from(["basis", "orders", "age", "lines", "skus", "metadata", "categories", "tier", "x"])
_LITERALS = st.sampled_from(
    ["1", "0", "1.5", "'a'", "true", "null", "[1, 2]", "{'a': 1}", "''", "-9223372036854775807"]
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(["&&", "||", "==", "!=", "<", "+", "-", "*", "/", "%", "in"])
    macro = st.sampled_from(["all", "exists", "exists_one", "filter"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, operator, inner),
        st.builds("{}.{}".format, inner, _FIELDS),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("!{}".format, inner),
        st.builds("{}.{}(i, {})".format, inner, macro, inner),
        st.builds("{}.size()".format, inner),
        st.builds("has({}.{})".format, inner, _FIELDS),
        st.builds("{}({})".format, st.sampled_from(list(FUNCTIONS)), inner),
    )


_EXPRESSIONS = st.recursive(_NAMES | _LITERALS, _larger, max_leaves=12)
_LETTERS = st.lists(
    st.sampled_from([*"ab1.()[]{}'\"\\&|?:!=<>+-*/%, \n_rbuUxé“", "order", "line", " in ", ".exists(i, "])
).map("".join)


@settings(max_examples=100, deadline=None)
@given(source=_EXPRESSIONS)
def test_whatever_is_well_formed_is_refused_or_answered_in_time(source):
    _asked_in_time(source)


@settings(max_examples=200, deadline=None)
@given(source=_LETTERS | st.text(max_size=60))
def test_whatever_is_typed_is_refused_or_answered_in_time(source):
    _asked_in_time(source)


def _asked_in_time(source: str) -> None:
    begun = time.monotonic()
    try:
        asked = condition(source)
        environment = an_environment({}, {})
        asked.seen(environment, 0)
        answer = asked.holds_for_lines(environment) if asked.of_lines else [asked.holds(environment)]
        assert set(answer) <= {True, False}
    except (ExpressionInvalid, Unanswerable) as refused:
        assert refused.detail  # noqa: PT017 (it may be answered, too)
    scope = list(SCOPES)[len(source) % len(SCOPES)]
    assert all(found.detail for found in findings(source, scope))
    assert time.monotonic() - begun < 5


@settings(max_examples=100, deadline=None)
@given(source=_EXPRESSIONS)
def test_the_variables_found_are_those_that_cel_finds(source):
    try:
        reading = read(source)
        named = set(cel.compile(source).variables())
    except (ExpressionInvalid, ValueError):
        return
    bound = {"i"} if ".all(i" in source or ".exists" in source or ".filter" in source else set()
    assert {path.parts[0] for path in reading.paths} - bound == {
        name for name in named if not name.startswith("@")
    } - bound
