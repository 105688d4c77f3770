"""Budgets and house rules. Each is a function of a file's text, so each is also shown to fail."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]

COMMIT_HOME = "loyalty/db/session.py"
CLOCK_HOME = "loyalty/core/clock.py"
ENVIRONMENT_HOME = "loyalty/config.py"

CLOCKS = (
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
    *("time.time", "time.localtime", "time.gmtime"),
)
ENVIRONMENT = ("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv")

# Names that say where something was put because nobody knew where it belongs.
NAMELESS = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "shared", "base_service"}

STATEMENTS_OF_SQL = re.compile(
    r"\b(SELECT\b.+\bFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|TRUNCATE\s|WITH\s+\w+\s+AS\b)", re.DOTALL
)
# What a session and a connection can do with a statement.
RUNS_SQL = {"rows", "row", "run", "orm", "driver", "execute", "scalar", "scalars"}


def lines_above(limit: int) -> Callable[[str], Iterator[str]]:
    """A file has a budget of lines."""

    def check(source: str) -> Iterator[str]:
        count = len(source.splitlines())
        if count > limit:
            yield f"{count} lines, {limit} are the limit: split it by noun"

    return check


def functions_above(limit: int) -> Callable[[str], Iterator[str]]:
    """A function has a budget of lines, from `def` to its end."""

    def check(source: str) -> Iterator[str]:
        for function in _functions(ast.parse(source)):
            count = (function.end_lineno or 0) - function.lineno + 1
            if count > limit:
                yield f"{function.lineno}: {function.name}() has {count} lines, {limit} are the limit"

    return check


def views_above(limit: int) -> Callable[[str], Iterator[str]]:
    """A view parses, calls and presents: its body has a budget of lines, docstring included."""

    def check(source: str) -> Iterator[str]:
        for view in _functions(ast.parse(source)):
            count = (view.end_lineno or 0) - view.body[0].lineno + 1
            if count > limit:
                yield f"{view.lineno}: {view.name}() has a body of {count} lines, {limit} are the limit"

    return check


def commits(source: str) -> Iterator[str]:
    """Services flush at most: whoever commits ends someone else's transaction."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            yield f"{node.lineno}: commits; transaction() in {COMMIT_HOME} does, once, for everybody"


def asks_the_time(source: str) -> Iterator[str]:
    """Time is an argument (monotonic clocks measure, they do not tell the time)."""
    for line, name in _names(source):
        if name in CLOCKS:
            yield f"{line}: {name}; take `now` as an argument, or call clock.now() in routes, jobs and commands"


def reads_the_environment(source: str) -> Iterator[str]:
    """Settings are read once, into a frozen value."""
    for line, name in _names(source):
        if name in ENVIRONMENT:
            yield f"{line}: {name}; settings come from {ENVIRONMENT_HOME}"


def prints(source: str) -> Iterator[str]:
    """What people read goes through click.echo, what operators read through the log."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{node.lineno}: prints; use click.echo or the log"


def imports_late(source: str) -> Iterator[str]:
    """Imports run downhill, so none needs to hide in a function."""
    for function in _functions(ast.parse(source)):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield f"{node.lineno}: {function.name}() imports; import at the top, or move the module downhill"


def catches_everything(source: str) -> Iterator[str]:
    """Catch what you can answer. Who catches all, to clean up, raises it again at the end."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {"" if kind is None else ast.unparse(kind) for kind in caught}
            last = node.body[-1]
            if names & {"", "Exception", "BaseException"} and not (isinstance(last, ast.Raise) and last.exc is None):
                yield f"{node.lineno}: catches everything; name what can be answered, the rest is for web/problems.py"


def lacks_docstrings(source: str) -> Iterator[str]:
    """Every public module, class and function says in a sentence what it is for."""
    module = ast.parse(source)
    if not ast.get_docstring(module):
        yield "1: the module has no docstring"
    for node in _public(module):
        if not ast.get_docstring(node):
            yield f"{node.lineno}: {node.name} has no docstring"


def imports_any_of(*banned: str) -> Callable[[str], Iterator[str]]:
    """Some layers do not know some libraries."""

    def check(source: str) -> Iterator[str]:
        for line, name in _imported(source):
            if any(name == module or name.startswith(f"{module}.") for module in banned):
                yield f"{line}: imports {name}, which this kind of file does not know"

    return check


def decides(source: str) -> Iterator[str]:
    """A view does not branch (a conditional expression may choose a status) and does not catch."""
    branches = (ast.If, ast.Try, ast.TryStar, ast.Match, ast.While, ast.For)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, branches):
            yield f"{node.lineno}: `{type(node).__name__.lower()}` in a view; the use case decides"


def speaks_sql(source: str) -> Iterator[str]:
    """Statements stand in queries and services."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENTS_OF_SQL.search(node.value):
            yield f"{node.lineno}: a statement in a view; it belongs into queries.py"
        if isinstance(node, ast.Attribute) and node.attr in RUNS_SQL and ast.unparse(node.value) == "session":
            yield f"{node.lineno}: session.{node.attr} in a view; call a query or a use case"


def has_no_name(path: str) -> Iterator[str]:
    """Split by noun."""
    for part in Path(path).parts:
        if part.removesuffix(".py") in NAMELESS:
            yield f"'{part}' says nothing: name it after what it holds"


class Rule(NamedTuple):
    """A check, the files it is for, and the one file that is excused."""

    check: Callable[[str], Iterator[str]]
    files: str
    but_for: str = ""


PURE = imports_any_of(
    *("sqlalchemy", "flask", "flask_sqlalchemy", "psycopg", "marshmallow", "random", "secrets"),
    *("loyalty.core.clock", "loyalty.core.ids", "loyalty.db", "loyalty.web"),
)

RULES = {
    "a file has at most 300 lines": Rule(lines_above(300), "loyalty/**/*.py"),
    "a migration has at most 300 lines": Rule(lines_above(300), "migrations/**/*.py"),
    "a test file has at most 400 lines": Rule(lines_above(400), "tests/**/*.py"),
    "a function has at most 50 lines": Rule(functions_above(50), "loyalty/**/*.py"),
    "a view has at most 12 lines": Rule(views_above(12), "loyalty/**/*routes.py"),
    "there is one commit": Rule(commits, "loyalty/**/*.py", COMMIT_HOME),
    "there is one clock": Rule(asks_the_time, "loyalty/**/*.py", CLOCK_HOME),
    "one module sees the environment": Rule(reads_the_environment, "loyalty/**/*.py", ENVIRONMENT_HOME),
    "nothing is printed": Rule(prints, "loyalty/**/*.py"),
    "imports stand at the top": Rule(imports_late, "loyalty/**/*.py"),
    "only what can be answered is caught": Rule(catches_everything, "loyalty/**/*.py", "loyalty/web/problems.py"),
    "what is public has a docstring": Rule(lacks_docstrings, "loyalty/**/*.py"),
    "use cases know no HTTP": Rule(imports_any_of("flask", "flask_smorest", "marshmallow"), "loyalty/**/service.py"),
    "decisions are pure": Rule(PURE, "loyalty/**/domain.py"),
    "the book is pure": Rule(PURE, "loyalty/ledger/book.py"),
    "what an order is worth is pure": Rule(PURE, "loyalty/earning/worth.py"),
    "terms of points are pure": Rule(PURE, "loyalty/programs/terms.py"),
    "views do not decide": Rule(decides, "loyalty/**/*routes.py"),
    "views hold no SQL": Rule(speaks_sql, "loyalty/**/*routes.py"),
}


@pytest.mark.parametrize("name", RULES)
def test_the_house_is_tidy(name: str):
    rule = RULES[name]
    files = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.glob(rule.files))}
    assert files, f"no file is like {rule.files}: the rule '{name}' guards nothing"

    found = [
        f"{path}:{complaint}"
        for path, file in files.items()
        if path != rule.but_for
        for complaint in rule.check(file.read_text(encoding="utf-8"))
    ]

    assert not found, f"{name}, but:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("home", "check"),
    [(COMMIT_HOME, commits), (CLOCK_HOME, asks_the_time), (ENVIRONMENT_HOME, reads_the_environment)],
)
def test_what_may_stand_in_one_place_stands_there(home: str, check: Callable[[str], Iterator[str]]):
    assert list(check((ROOT / home).read_text(encoding="utf-8"))), f"nothing to excuse in {home}: the rule has moved"


def test_there_is_one_commit_and_it_is_one_call():
    assert len(list(commits((ROOT / COMMIT_HOME).read_text(encoding="utf-8")))) == 1


def test_every_module_has_a_name():
    paths = [str(p.relative_to(ROOT)) for folder in ("loyalty", "tests") for p in (ROOT / folder).rglob("*.py")]

    assert not [f"{path}: {complaint}" for path in paths for complaint in has_no_name(path)]


LONG = "x = 1\n" * 301
BAD = {
    "a long file": (lines_above(300), LONG),
    "a long function": (functions_above(50), "def f():\n" + "    x = 1\n" * 50),
    "a long method": (functions_above(50), "class A:\n    async def f(self):\n" + "        x = 1\n" * 50),
    "a long view": (views_above(12), 'def view(\n    a,\n):\n    """Say."""\n' + "    x = 1\n" * 12),
    "a commit": (commits, "session.orm.commit()"),
    "now": (asks_the_time, "from datetime import datetime\nx = datetime.now(UTC)"),
    "now by another name": (asks_the_time, "import datetime as dt\nx = dt.datetime.now(dt.UTC)"),
    "now, passed on": (asks_the_time, "from datetime import datetime\nfield(default_factory=datetime.utcnow)"),
    "today": (asks_the_time, "from datetime import date\nx = date.today()"),
    "seconds": (asks_the_time, "from time import time\nx = time()"),
    "the environment": (reads_the_environment, "import os\nx = os.environ['A']"),
    "the environment, imported": (reads_the_environment, "from os import environ as e\nx = e.get('A')"),
    "the environment, by way of another module": (reads_the_environment, "import os.path\nx = os.environ"),
    "one variable": (reads_the_environment, "from os import getenv\nx = getenv('A')"),
    "a print": (prints, "def f():\n    print('x')"),
    "a late import": (imports_late, "def f():\n    from loyalty.orders import service"),
    "except": (catches_everything, "try:\n    f()\nexcept:\n    pass"),
    "except Exception": (catches_everything, "try:\n    f()\nexcept Exception as e:\n    log(e)"),
    "except everything, among others": (
        catches_everything,
        "try:\n    f()\nexcept (KeyError, BaseException):\n    pass",
    ),
    "everything, raised as another": (catches_everything, "try:\n    f()\nexcept Exception:\n    raise ValueError"),
    "no word on a module": (lacks_docstrings, "x = 1"),
    "no word on a function": (lacks_docstrings, '"""M."""\ndef f(): ...'),
    "no word on a class": (lacks_docstrings, '"""M."""\nclass A: ...'),
    "no word on a method": (lacks_docstrings, '"""M."""\nclass A:\n    """A."""\n    def f(self): ...'),
    "a library": (imports_any_of("flask"), "import flask.views"),
    "a part of a library": (imports_any_of("flask"), "from flask import g"),
    "the clock": (PURE, "from loyalty.core import clock"),
    "the clock's hand": (PURE, "from loyalty.core.clock import now"),
    "the database": (PURE, "from loyalty.db.session import Session"),
    "if": (decides, "def view():\n    if a:\n        return b"),
    "try": (decides, "def view():\n    try:\n        f()\n    finally:\n        g()"),
    "a statement": (speaks_sql, 'X = """\nSELECT a\nFROM b"""'),
    "a change": (speaks_sql, 'X = "UPDATE members SET status = 1"'),
    "a session's statement": (speaks_sql, "def view(session):\n    session.rows(q)"),
    "the ORM": (speaks_sql, "def view(session):\n    session.orm.get(A, 1)"),
    "a drawer": (has_no_name, "loyalty/orders/helpers.py"),
    "a drawer of drawers": (has_no_name, "loyalty/common/money.py"),
}

GOOD = {
    "a short file": (lines_above(300), "x = 1\n" * 300),
    "a short function": (functions_above(50), "def f():\n" + "    x = 1\n" * 49),
    "a short view": (views_above(12), 'def view(\n    a,\n):\n    """Say."""\n' + "    x = 1\n" * 11),
    "a word about commits": (commits, '"""Never commit()."""\ncommitted = session.committed'),
    "a measure": (asks_the_time, "import time\nx = time.monotonic() - time.perf_counter()"),
    "a type": (asks_the_time, "from datetime import datetime\ndef f(now: datetime): return now.date()"),
    "the system": (reads_the_environment, "import os\nx = os.fork(), os.defpath"),
    "an echo": (prints, 'click.echo("print()")'),
    "an early import": (imports_late, "import os\ndef f(): return os"),
    "except what is known": (catches_everything, "try:\n    f()\nexcept (KeyError, ValueError):\n    pass"),
    "cleaning up": (catches_everything, "try:\n    f()\nexcept BaseException:\n    undo()\n    raise"),
    "words": (lacks_docstrings, '"""M."""\ndef f():\n    """F."""\n    def g(): ...\nclass _A:\n    def f(self): ...'),
    "another library": (imports_any_of("flask"), "import flaskette\nfrom loyalty.flask import g"),
    "a calendar": (PURE, "from loyalty.core import calendar\nfrom datetime import datetime"),
    "a status": (decides, "def view():\n    return OK if a else CREATED"),
    "a sentence": (speaks_sql, '"""Update a member and select the reward from the list."""'),
    "a noun": (has_no_name, "loyalty/ledger/book.py"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_breach_is_seen(name: str):
    check, source = BAD[name]
    assert list(check(source))


@pytest.mark.parametrize("name", GOOD)
def test_what_is_in_order_is_left_alone(name: str):
    check, source = GOOD[name]
    assert not list(check(source))


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _public(parent: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Classes and functions without an underscore (in front of themselves or of what they stand in)."""
    for node in parent.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def _imported(source: str) -> Iterator[tuple[int, str]]:
    """Every imported name, in full: `from a import b` is a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _names(source: str) -> Iterator[tuple[int, str]]:
    """Every name that is used, in full, whatever it was imported as."""
    tree = ast.parse(source)
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            # `import a.b` makes `a` known, `import a.b as c` makes `c` known, as a.b.
            first = {alias.name.partition(".")[0] for alias in node.names if not alias.asname}
            known |= {name: name for name in first} | {a.asname: a.name for a in node.names if a.asname}
        if isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            if first in known:
                yield node.lineno, f"{known[first]}.{rest}" if rest else known[first]
