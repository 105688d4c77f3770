"""What a template says, before it says it: unknown names, values that may be unknown, forms that are missing. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from jinja2 import nodes

from loyalty.core.findings import meant
from loyalty.templates.filters import forms_of
from loyalty.templates.kinds import NUMBER, Many, Node, Tree, Value

# The way to a value, such as ("member", "first_name").
Path: TypeAlias = tuple[str, ...]

FLAG: Final = Value("flag")
LOOP: Final[Tree] = {"first": FLAG, "last": FLAG, "index": NUMBER, "index0": NUMBER, "length": NUMBER}

_NUMBERS, _DAYS, _TEXTS, _LISTS = ("points", "number", "money"), ("date",), ("text",), ("list",)
# What a filter takes: types of values, or "list".
_TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "number": _NUMBERS, "points": _NUMBERS, "plural": _NUMBERS, "money": _NUMBERS, "round": _NUMBERS, "day": _DAYS,
    "month": _DAYS, "upper": _TEXTS, "lower": _TEXTS, "title": _TEXTS, "trim": _TEXTS, "replace": _TEXTS,
    "join": _LISTS, "first": _LISTS, "last": _LISTS, "length": _LISTS + _TEXTS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say of a template, and the line it is in."""

    level: str
    code: str
    detail: str
    line: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What can be named somewhere in a template, and what is known to be there."""

    names: Tree
    known: frozenset[Path] = frozenset()

    def knowing(self, more: frozenset[Path]) -> "Scope":
        """The same, where more is known to be there."""
        return replace(self, known=self.known | more)

    def within(self, loop: str, each: Node) -> "Scope":
        """The same, inside a loop."""
        known = frozenset(path for path in self.known if path[0] != loop)
        return Scope({**self.names, loop: each, "loop": LOOP}, known)


@dataclass(slots=True)
class Reader:
    """Reads one template of a language."""

    language: str
    remarks: list[Remark] = field(default_factory=list)

    def read(self, body: list[nodes.Node], scope: Scope) -> None:
        """Go through a part of a template."""
        for node in body:
            if isinstance(node, nodes.Output):
                for each in node.nodes:
                    self._printed(each, scope)
            elif isinstance(node, nodes.If):
                self._branches(node, scope)
            elif isinstance(node, nodes.For):
                self._loop(node, scope)

    def _printed(self, node: nodes.Expr, scope: Scope) -> None:
        if isinstance(node, nodes.TemplateData):
            return
        found = self._of(node, scope)
        if isinstance(found, Value):
            if found.nullable:
                path = ".".join(_path(node) or ("it",))
                detail = f"{path} is not always known: ask {{% if %}} first, or give it |default."
                self._say("warning", "may-be-unknown", detail, node)
        elif found is not None:
            self._say("error", "not-a-text", "It has parts: print one of them, or go through them.", node)

    def _branches(self, node: nodes.If, scope: Scope) -> None:
        self._of(node.test, scope)
        there, missing = _learned(node.test)
        self.read(node.body, scope.knowing(there))
        scope = scope.knowing(missing)
        for other in node.elif_:
            self._of(other.test, scope)
            there, missing = _learned(other.test)
            self.read(other.body, scope.knowing(there))
            scope = scope.knowing(missing)
        self.read(node.else_, scope)

    def _loop(self, node: nodes.For, scope: Scope) -> None:
        found, target = self._of(node.iter, scope), node.target
        assert isinstance(target, nodes.Name), "the sandbox allows no other"
        if found is not None and not isinstance(found, Many):
            self._say("error", "not-a-list", "A loop goes through a list.", node)
        if not isinstance(found, Many):
            return
        inside = scope.within(target.name, found.of)
        if node.test is not None:
            self._of(node.test, inside)
            inside = inside.knowing(_learned(node.test)[0])
        self.read(node.body, inside)
        self.read(node.else_, scope)

    def _of(self, node: nodes.Node, scope: Scope) -> Node | None:
        """What an expression comes to; None if that cannot be said."""
        if isinstance(node, nodes.Name | nodes.Getattr):
            return self._named(node, scope)
        if isinstance(node, nodes.Const):
            return NUMBER if type(node.value) is int else Value("text", nullable=node.value is None)
        if isinstance(node, nodes.Filter):
            return self._filtered(node, scope)
        if isinstance(node, nodes.CondExpr):
            return self._either(node, scope)
        for child in node.iter_child_nodes():
            self._of(child, scope)
        return NUMBER if isinstance(node, nodes.Add | nodes.Sub | nodes.Neg) else FLAG

    def _named(self, node: nodes.Node, scope: Scope) -> Node | None:
        if isinstance(node, nodes.Name):
            known, name, whole = scope.names, node.name, node.name
        else:
            assert isinstance(node, nodes.Getattr), "it is a name or a part"
            base = self._of(node.node, scope)
            if base is None:
                return None
            name, whole = node.attr, ".".join(_path(node) or (node.attr,))
            known = base if isinstance(base, Mapping) else {}
        found = known.get(name)
        if found is None:
            self._say("error", "unknown-variable", f"There is no '{whole}'.{meant(name, list(known))}", node)
        elif isinstance(found, Value) and found.nullable and _path(node) in scope.known:
            return replace(found, nullable=False)
        return found

    def _either(self, node: nodes.CondExpr, scope: Scope) -> Node | None:
        self._of(node.test, scope)
        there, missing = _learned(node.test)
        found = self._of(node.expr1, scope.knowing(there))
        if node.expr2 is None:
            self._say("error", "else-missing", "Say what stands there else: {{ a if b else c }}.", node)
            return found
        other = self._of(node.expr2, scope.knowing(missing))
        if isinstance(found, Value) and isinstance(other, Value):
            return replace(found, nullable=found.nullable or other.nullable)
        return found

    def _filtered(self, node: nodes.Filter, scope: Scope) -> Node | None:
        assert node.node is not None, "there are no filter blocks"
        found = self._of(node.node, scope)
        for given in (*node.args, *(pair.value for pair in node.kwargs)):
            self._of(given, scope)
        if node.name == "plural":
            self._plural(node)
        if found is None:
            return None
        if not _fits(node.name, found):
            self._say("error", "wrong-type", f"'{node.name}' is for {_for(node.name)}.", node)
            return None
        return _made(node.name, found)

    def _plural(self, node: nodes.Filter) -> None:
        given, needed = {pair.key for pair in node.kwargs}, forms_of(self.language)
        if "other" not in given:
            self._say("error", "plural-other", 'plural needs other="…", for every number without a form.', node)
        missing = [form for form in needed if form not in given and form != "other"]
        if missing:
            detail = f"Numbers in '{self.language}' have other forms, too: {', '.join(missing)}."
            self._say("warning", "plural-forms", detail, node)

    def _say(self, level: str, code: str, detail: str, node: nodes.Node) -> None:
        self.remarks.append(Remark(level, code, detail, node.lineno))


def remarks(tree: nodes.Template, names: Tree, language: str) -> list[Remark]:
    """What there is to say of a template that can say `names`."""
    reader = Reader(language)
    reader.read(tree.body, Scope(names))
    return list(dict.fromkeys(reader.remarks))


def _fits(name: str, found: Node) -> bool:
    taken = _TAKES.get(name)
    if taken is None:
        return isinstance(found, Value)
    if isinstance(found, Value):
        return found.type in taken
    return isinstance(found, Many) and "list" in taken


def _for(name: str) -> str:
    words = {"date": "days", "text": "texts", "list": "lists"}
    return " and ".join(sorted({words.get(each, "numbers") for each in _TAKES.get(name, _TEXTS)}))


def _made(name: str, found: Node) -> Node:
    """What a filter makes of a value, or of a list."""
    if name in {"first", "last"} and isinstance(found, Many):
        return replace(found.of, nullable=True) if isinstance(found.of, Value) else found.of
    if name == "default" and isinstance(found, Value):
        return replace(found, nullable=False)
    if name in {"length", "round"}:
        return NUMBER
    return Value("text", nullable=isinstance(found, Value) and found.nullable)


def _path(node: nodes.Node | None) -> Path | None:
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    if isinstance(node, nodes.Filter):
        return _path(node.node)
    return (node.name, *reversed(parts)) if isinstance(node, nodes.Name) else None


def _learned(test: nodes.Node) -> tuple[frozenset[Path], frozenset[Path]]:
    """What is known to be there if a condition holds, and if it does not."""
    nothing: frozenset[Path] = frozenset()
    if isinstance(test, nodes.Name | nodes.Getattr):
        return frozenset(_paths(test)), nothing
    if isinstance(test, nodes.Not):
        there, missing = _learned(test.node)
        return missing, there
    if isinstance(test, nodes.And):
        return _learned(test.left)[0] | _learned(test.right)[0], nothing
    if isinstance(test, nodes.Or):
        return nothing, _learned(test.left)[1] | _learned(test.right)[1]
    if isinstance(test, nodes.Test) and test.name == "none":
        return nothing, frozenset(_paths(test.node))
    return nothing, nothing


def _paths(node: nodes.Node) -> Iterator[Path]:
    path = _path(node)
    if path is not None:
        yield path
