"""Conditions: what they say, what they name, and how they fail."""

import math
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty.rules.expressions import SLICE, Environment, ExpressionInvalid, Unanswerable, condition
from tests.rules.values import a_line, an_environment


def why_not(source: str, environment: Environment) -> str:
    asked = condition(source)
    with pytest.raises(Unanswerable) as refused:
        asked.holds_for_lines(environment) if asked.of_lines else asked.holds(environment)
    return refused.value.detail


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("history.orders == 3", True),
        ('member.tier in ["gold", "silver"] && order.basis >= 5000', False),
        ('order.lines.exists(l, l.category.startsWith("coffee"))', True),
        ('order.lines.filter(l, l.sku == "beans-1kg").size() == 1', True),
        ("order.lines.filter(l, l.basis > 1 // by line\n).size() == 1", True),
        ('"coffee" in order.categories ? local.weekday == 7 : false', True),
        ('now - member.enrolled_at > duration("720h")', True),
        ("history.orders > 1 // more than once", True),
        ("member.age == null", False),
    ],
)
def test_a_condition_is_true_or_false_of_the_values(source, answer):
    assert condition(source).holds(an_environment()) is answer


def test_a_condition_on_lines_answers_line_by_line():
    environment = an_environment({"basis": 5}, {"basis": 50}, {"basis": 500})
    assert condition("line.basis >= 50 && history.orders > 0").holds_for_lines(environment) == [False, True, True]
    assert condition("history.orders > 0").holds_for_lines(environment) == [True, True, True]
    assert condition("line.basis > 0").holds_for_lines(an_environment()) == []


def test_lines_beyond_a_slice_keep_their_order():
    environment = an_environment(*({"basis": number} for number in range(2 * SLICE + 1)))
    assert condition("line.basis == 0").holds(Environment({"line": a_line(basis=0)}))
    answers = condition(f"line.basis >= {SLICE + 1}").holds_for_lines(environment)
    assert answers == [False] * (SLICE + 1) + [True] * SLICE


def test_a_line_that_cannot_be_answered_is_named_and_fails_the_condition_as_a_whole():
    environment = an_environment({"line_id": "a"}, {"line_id": "b", "category": None})
    assert why_not('line.category.startsWith("c")', environment) == "Line b: line.category has no value (null)."


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("history.categories['tea'].orders == 0", "history.categories['tea'] is missing."),
        ('order.metadata.gift == "yes"', "order.metadata.gift is missing."),
        ("member.age >= 18", "member.age has no value (null)."),
        ("history.spend / history.orders > 10", "It divides by zero."),
        ("history.spend + 9223372036854775807 > 0", "A number or an instant becomes too large."),
        ("order.lines[7].basis > 0", "A list has fewer entries than the condition asks for."),
        ("nobody.age > 1", "nobody is not known here, or cannot be used on this value."),
        ("order.basis", "It gives a value (int) rather than true or false."),
        ("order.lines", "It gives a value (list) rather than true or false."),
        ('order.channel.matches("(")', "The pattern of matches is no regular expression."),
        ('now > timestamp("tomorrow")', 'Write an instant as timestamp("2026-03-01T00:00:00Z").'),
        ('now - now > duration("soon")', 'Write a duration as duration("36h"), with h, m or s.'),
    ],
)
def test_what_cannot_be_answered_says_why_in_a_sentence(source, detail):
    environment = an_environment(member={"age": None}, history={"orders": 0})
    assert why_not(source, environment) == detail


def test_a_failure_counts_only_where_it_matters():
    assert condition('true || history.categories["tea"].orders == 0').holds(an_environment())
    assert condition('history.categories["tea"].orders == 0 || true').holds(an_environment())


def test_a_condition_knows_what_it_names():
    asked = condition(
        'history.categories["coffee > beans"].orders > 1 && has(order.metadata.gift)'
        " && order.lines.exists(l, l.sku.startsWith(member.locale))"
    )
    assert asked.roots == {"history", "order", "member"}
    assert asked.paths == {
        ("history", "categories", "coffee > beans", "orders"),
        ("order", "metadata", "gift"),
        ("order", "lines"),
        ("member", "locale"),
    }
    assert not asked.of_lines
    assert condition("line.basis > 1").of_lines
    assert not condition("order.skus.exists(line, line == 'a')").of_lines


def test_what_was_seen_is_shown_as_it_was_written():
    environment = an_environment({"basis": 7}, order={"skus": [f"sku-{n}" for n in range(30)]})
    asked = condition('line.basis > 5 && history.categories[ "tea" ].orders == 0 && "a" in order.skus && now != null')
    seen = asked.seen(environment, 0)
    assert (seen["line.basis"], seen['history.categories["tea"].orders']) == (7, None)
    assert (seen["order.skus"][-1], seen["now"]) == ("… 10 more", "2026-03-01T12:00:00+00:00")


@pytest.mark.parametrize(
    "odd",
    [
        2**63,
        2**64,
        -(2**70),
        10**400,
        math.nan,
        math.inf,
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        {None: 1},
        {1, 2},
        pytest.param(object(), id="an-object"),
        b"x",
    ],
    ids=str,
)
def test_odd_values_in_free_documents_never_fail_an_order(odd):
    environment = an_environment(order={"metadata": {"odd": odd, "list": [odd], "gift": "yes"}})
    assert condition('order.metadata.gift == "yes"').holds(environment)


def test_odd_values_elsewhere_do_not_fail_it_either():
    assert condition("order.basis == 2300").holds(an_environment(order={"total": object()}))


def test_documents_nested_without_end_do_not_end_the_process():
    deep: dict = {}
    for _ in range(20_000):
        deep = {"a": [deep]}
    environment = an_environment(order={"metadata": deep}, member={"attributes": deep})
    assert condition("has(order.metadata.a) && order.metadata.a[0].a.size() == 1").holds(environment)
    with_lines = an_environment({"category": None}, order={"metadata": deep})
    assert "category" in why_not("has(order.metadata.a) && line.category < 'x'", with_lines)
    assert condition("has(order.metadata.a)").seen(environment)


def test_threads_share_conditions():
    asked = [condition("history.orders == 3 && line.basis == 5"), condition('order.skus.exists(s, s == "beans-1kg")')]
    started = threading.Barrier(4)

    def ask(_thread: int) -> bool:
        started.wait()
        for number in range(300):
            environment = an_environment({"basis": number % 10})
            right = [asked[0].holds_for_lines(environment) == [number % 10 == 5], asked[1].holds(environment)]
            if not all(right):
                return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(ask, range(4)))


def test_a_panic_is_no_interrupt():
    class PanicException(BaseException):
        pass

    class Breaking:
        def __init__(self, failure: BaseException) -> None:
            self.failure = failure

        def execute(self, _context: object) -> bool:
            raise self.failure

    asked = condition("history.orders > 2")
    try:
        program = asked._one
        object.__setattr__(asked, "_one", Breaking(PanicException("called `Option::unwrap()` on a `None` value")))
        assert why_not("history.orders > 2", an_environment()) == "It cannot be worked out."
        object.__setattr__(asked, "_one", Breaking(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            asked.holds(an_environment())
    finally:
        object.__setattr__(asked, "_one", program)


def test_a_condition_is_compiled_once():
    assert condition("history.orders > 12") is condition("history.orders > 12")


def test_what_is_no_condition_says_where():
    with pytest.raises(ExpressionInvalid) as refused:
        condition("order.basis >> 3")
    assert (refused.value.detail, refused.value.position) == ("Not understood from here on: >", 13)


def test_nesting_ends_the_process_of_the_library_and_so_is_cut():
    """Why free documents are cleaned: the day this passes without, the cleaning may become cheaper."""
    script = "import cel; d = 1\nfor _ in range(100_000): d = {'a': d}\ncel.Context({'v': d})"
    assert subprocess.run([sys.executable, "-c", script], check=False, capture_output=True).returncode != 0
