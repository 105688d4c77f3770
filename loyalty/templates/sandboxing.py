"""Templates that people write, made harmless: what they can say is listed here, and everything else is refused.

A template reads plain values, prints them, asks whether they are there, and goes through lists. It calls nothing,
keeps nothing, and reaches nothing but the names that it is given. What it may cost is bounded before it costs it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2 import Template as Compiled
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from loyalty.core.findings import meant
from loyalty.templates.filters import FILTERS, SPEECH, TESTS, counted, in_words

SUBJECT_MAX = 300
SOURCE_MAX = 20_000
OUTPUT_MAX = 50_000
# Far more than any message needs; a parser and a compiler take their time for more.
NODES_MAX, DEPTH_MAX, LOOPS_MAX = 3_000, 30, 2
INTEGER_MAX = 10**15

# What a loop says of where it is.
OF_LOOPS: Final = frozenset({"first", "last", "index", "index0", "length"})

_ALLOWED: Final = frozenset({
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.For, nodes.Getattr,
    nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Add,
    nodes.Sub, nodes.Neg, nodes.Keyword,
})  # fmt: skip
_CALLED: Final[Mapping[str, str]] = {
    "Call": "Calling something", "Getitem": "Square brackets", "Assign": "{% set %}", "AssignBlock": "{% set %}",
    "Concat": "~", "Mul": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**", "List": "A list",
    "Dict": "A dictionary", "Tuple": "A list", "CallBlock": "{% call %}", "FilterBlock": "{% filter %}",
    "Pos": "A plus sign before a value", "ScopedEvalContextModifier": "{% autoescape %}", "FromImport": "{% import %}",
}  # fmt: skip
# These names mean something to the language of templates itself.
_RESERVED: Final = frozenset({"self", "super", "caller", "varargs", "kwargs"})

_ONLY_TAGS: Final = re.compile(r"^[ \t]*(?P<tags>(?:\{%(?:(?!%\}).)*%\}[ \t]*)+)\n", re.MULTILINE)

# What Python says of what a template says, be it that an argument is named twice.
_BROKEN = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    SyntaxError,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What keeps a template from being used, and in which line of it."""

    code: str
    detail: str
    line: int


class TemplateBroken(Exception):
    """A template cannot be compiled, or not be rendered with what there is to say."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Where templates are compiled and rendered."""

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)
    intercepted_unops = frozenset({"-", "+"})

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(
            undefined=StrictUndefined, autoescape=autoescape, finalize=in_words, lstrip_blocks=True, cache_size=0
        )
        self.globals.clear()
        self.filters = {**FILTERS, "counted": counted}
        self.tests = dict(TESTS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A name in a tree of values, or of a loop; never an attribute of Python's."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in OF_LOOPS:
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Nothing is had by square brackets."""
        raise SecurityError("Square brackets are not allowed.")

    def call(self, __context: Context, __obj: Any, /, *_args: Any, **_kwargs: Any) -> Any:
        """Nothing is called."""
        raise SecurityError("Calls are not allowed.")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Sums and differences of whole numbers, nothing else."""
        if operator not in {"+", "-"} or type(left) is not int or type(right) is not int:
            raise SecurityError(f"{operator} is for whole numbers only.")
        return self._bounded(left + right if operator == "+" else left - right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """The negative of a whole number."""
        if operator != "-" or type(arg) is not int:
            raise SecurityError("Only a whole number can be negative.")
        return self._bounded(-arg)

    @staticmethod
    def _bounded(number: int) -> int:
        if abs(number) > INTEGER_MAX:
            raise SecurityError("The number is too large.")
        return number


_PLAIN, _HTML = Sandbox(autoescape=False), Sandbox(autoescape=True)


def parsed(source: str) -> nodes.Template | Fault:
    """The tree of a template, or why it has none."""
    if len(source) > SOURCE_MAX:
        return Fault("too-long", f"A template has at most {SOURCE_MAX} characters.", 1)
    try:
        # Lines of tags alone leave no empty lines; a comment takes their ends, so that lines keep their numbers.
        return _PLAIN.parse(_ONLY_TAGS.sub(r"\g<tags>{#\n#}", source.replace("\r\n", "\n")))
    except TemplateError as broken:
        return Fault("syntax", str(broken.message), getattr(broken, "lineno", 1))
    except (RecursionError, ValueError, OverflowError):
        return Fault("syntax", "It is nested too deeply, or has a number that is too large.", 1)


def faults(tree: nodes.Template) -> Iterator[Fault]:
    """What a template says that no template may."""
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    seen = 0
    while waiting:
        node, depth, loops = waiting.pop()
        seen += 1
        if seen > NODES_MAX:
            yield Fault("too-much", "It says too much: make it shorter.", node.lineno)
            return
        if depth > DEPTH_MAX:
            yield Fault("too-deep", "It is nested too deeply.", node.lineno)
            return
        loops += isinstance(node, nodes.For)
        if loops > LOOPS_MAX:
            yield Fault("too-deep", f"At most {LOOPS_MAX} loops stand in each other.", node.lineno)
            return
        yield from _faults_of(node)
        waiting += [(child, depth + 1, loops) for child in node.iter_child_nodes()]


def _faults_of(node: nodes.Node) -> Iterator[Fault]:
    line = node.lineno
    if type(node) not in _ALLOWED:
        kind = type(node).__name__
        said = _CALLED.get(kind, f"{{% {kind.lower()} %}}")
        yield Fault("not-allowed", f"{said} is not allowed in a template.", line)
    elif isinstance(node, nodes.For):
        if node.recursive or not isinstance(node.target, nodes.Name) or not _is_path(node.iter):
            yield Fault("not-allowed", "A loop goes through a list by its name: {% for each in items %}.", line)
    elif isinstance(node, nodes.Const) and type(node.value) not in {str, int, bool, type(None)}:
        yield Fault("not-allowed", "A number in a template is whole.", line)
    elif isinstance(node, nodes.Const) and type(node.value) is int and node.value > INTEGER_MAX:
        yield Fault("not-allowed", "The number is too large.", line)
    elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        yield Fault("not-allowed", f"'{node.attr}' is not allowed: no name begins with _.", line)
    elif isinstance(node, nodes.Name) and (node.name.startswith("_") or node.name in _RESERVED):
        yield Fault("not-allowed", f"'{node.name}' is not allowed as a name.", line)
    elif isinstance(node, nodes.Filter | nodes.Test):
        yield from _faults_of_filter(node)


def _faults_of_filter(node: nodes.Filter | nodes.Test) -> Iterator[Fault]:
    known, word = (FILTERS, "filter") if isinstance(node, nodes.Filter) else (TESTS, "test")
    if node.name not in known:
        detail = f"There is no {word} '{node.name}'.{meant(node.name, list(known))}"
        yield Fault(f"unknown-{word}", detail, node.lineno)
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield Fault("not-allowed", "* and ** are not allowed in a template.", node.lineno)


def _is_path(node: nodes.Node) -> bool:
    while isinstance(node, nodes.Getattr):
        node = node.node
    return isinstance(node, nodes.Name)


def rendered(source: str, values: Mapping[str, Any], speech: Any, *, html: bool = False) -> str:
    """What a template says of `values`, which are plain: texts, whole numbers, dates, tuples and dictionaries.

    Raises TemplateBroken.
    """
    chunks, length = [], 0
    try:
        for chunk in _compiled(source, html).generate({**values, SPEECH: speech}):
            length += len(chunk)
            if length > OUTPUT_MAX:
                raise TemplateBroken(f"A message has at most {OUTPUT_MAX} characters.")
            chunks.append(chunk)
    except _BROKEN as broken:
        raise TemplateBroken(str(broken) or type(broken).__name__) from broken
    return "".join(chunks)


@lru_cache(maxsize=512)
def _compiled(source: str, html: bool) -> Compiled:
    tree = parsed(source)
    fault = tree if isinstance(tree, Fault) else next(faults(tree), None)
    if fault is not None:
        raise TemplateBroken(f"Line {fault.line}: {fault.detail}")
    assert isinstance(tree, nodes.Template), "it is no fault"
    for loop in list(tree.find_all(nodes.For)):
        # Each turn of a loop is paid for before it is taken.
        loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
    environment = _HTML if html else _PLAIN
    return environment.from_string(tree.set_environment(environment))  # type: ignore[arg-type]
