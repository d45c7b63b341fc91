"""The statement that a frame of a traceback stopped at, and where the values that it names come from."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FrameType, TracebackType

from pytest_hwcloud.usercode.call_site import is_users

_HEADERS = ("test", "iter", "target", "items", "subject")  # what of a compound statement runs on its own line
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_BRACKETS = 40  # lines without code that a function may end with: closing brackets


@dataclass(frozen=True)
class Expressions:
    """Expressions of one statement, and its lines. end: of its block, if leaving the block may fail."""

    nodes: tuple[ast.AST, ...]
    first: int
    last: int
    end: int = 0

    @property
    def calls(self) -> int:
        """How many calls hold no other call: the most requests that one run of it makes, loops inside it aside."""
        calls = [node for node in self.walk() if isinstance(node, ast.Call)]
        return sum(1 for call in calls if not any(isinstance(n, ast.Call) for n in ast.walk(call) if n is not call))

    @property
    def names(self) -> frozenset[str]:
        """The names that they read."""
        return frozenset(n.id for n in self.walk() if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))

    @property
    def repeats(self) -> bool:
        """Whether it holds a loop."""
        return any(isinstance(node, ast.comprehension) for node in self.walk())

    def walk(self) -> Iterator[ast.AST]:
        """Every node of the expressions."""
        for root in self.nodes:
            yield from ast.walk(root)


@dataclass(frozen=True)
class Place:
    """Where a frame of the user's own code stopped.

    function: the function, class or module around the statement. guards: the conditions above a deliberate failure
    (raise, pytest.fail, assert False), innermost first, because they and not the statement name the subject.
    """

    frame: FrameType
    line: int
    expressions: Expressions
    function: ast.AST
    guards: tuple[Expressions, ...] = ()

    @property
    def file(self) -> str:
        """The file as the code object names it."""
        return self.frame.f_code.co_filename


def places(error: BaseException) -> list[Place]:
    """The user's own frames in the traceback of this exception, innermost first; frames without source are left out."""
    found = [_place(frame, line) for frame, line in _frames(error.__traceback__) if is_users(frame.f_code.co_filename)]
    return [place for place in reversed(found) if place is not None]


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _place(frame: FrameType, line: int) -> Place | None:
    file = frame.f_code.co_filename
    linecache.checkcache(file)
    lines = linecache.getlines(file, frame.f_globals)
    tree = _tree(frame.f_code, "".join(_source(frame.f_code, lines)))
    if tree is None:
        return None
    around = _around(tree, line)
    statements = [node for node in around if isinstance(node, ast.stmt)]
    if not statements:
        return None
    function = next((node for node in reversed(around) if isinstance(node, _SCOPES)), tree)
    return Place(frame, line, _own(statements[-1]), function, tuple(_guards(statements)))


def _guards(around: Sequence[ast.stmt]) -> Iterator[Expressions]:
    if not _is_deliberate(around[-1]):
        return
    for statement in reversed(around[:-1]):
        if isinstance(statement, _SCOPES):
            return
        if isinstance(statement, (ast.If, ast.While, ast.Match)):
            yield _own(statement)


def _is_deliberate(statement: ast.stmt) -> bool:
    match statement:
        case ast.Raise() | ast.Expr(value=ast.Call()) | ast.Assert(test=ast.Constant()):
            return True
    return False


def _source(code: CodeType, lines: list[str]) -> list[str]:
    """The lines of a function with some more below it; the whole file for a module, a lambda or a comprehension."""
    # Only the function itself is parsed: a long test file takes longer than all the rest of the explanation.
    return lines if code.co_name.startswith("<") else lines[code.co_firstlineno - 1 : _last_line(code) + _BRACKETS]


@lru_cache(maxsize=64)
def _tree(code: CodeType, source: str) -> ast.AST | None:
    """The syntax tree of a code object's source, with the line numbers of its file."""
    if code.co_name.startswith("<") or not source:
        return _parsed(source, 0)
    lines = source.splitlines(keepends=True)
    start = code.co_firstlineno - 1
    head = "if 1:\n" if lines[0][:1].isspace() else "\n"  # under an `if`, indented source parses as it stands
    for end in range(_last_line(code) - start, len(lines) + 1):
        tree = _parsed(head + "".join(lines[:end]), start - 1)
        if tree is not None:
            return tree
    return None


def _parsed(source: str, shift: int) -> ast.AST | None:
    try:
        return ast.increment_lineno(ast.parse(source), shift)
    except (SyntaxError, ValueError):
        return None


def _last_line(code: CodeType) -> int:
    own = max((line for _, _, line in code.co_lines() if line), default=code.co_firstlineno)
    return max([own, *(_last_line(inner) for inner in code.co_consts if isinstance(inner, CodeType))])


def _around(tree: ast.AST, line: int) -> list[ast.AST]:
    """The nodes that cover this line, from the outermost to the innermost."""
    found: list[ast.AST] = []
    level: Sequence[ast.AST] = [tree]
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node) if _covers(child, line)]
        found.extend(level)
    return found


def _covers(node: ast.AST, line: int) -> bool:
    first = getattr(node, "lineno", None)
    if first is None:  # match cases, with items and arguments have no lines
        return isinstance(node, (ast.match_case, ast.ExceptHandler))
    return bool(first <= line <= (getattr(node, "end_lineno", None) or first))


def _own(statement: ast.stmt) -> Expressions:
    """What of a statement runs at its own line: all of a simple one, the head of a compound one."""
    if not hasattr(statement, "body") and not isinstance(statement, ast.Match):
        return Expressions((statement,), statement.lineno, statement.end_lineno or statement.lineno)
    heads = tuple(part for name in _HEADERS for part in _listed(getattr(statement, name, None)))
    lines = [getattr(part, "end_lineno", None) or 0 for head in heads for part in ast.walk(head)]
    leaves = isinstance(statement, (ast.With, ast.AsyncWith))  # pytest.raises and hwcloud.refused fail at the end
    end = statement.end_lineno or 0 if leaves else 0
    return Expressions(heads, statement.lineno, max([statement.lineno, *lines]), end)


def _listed(value: object) -> list[ast.AST]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, ast.AST)]


def binding(function: ast.AST, name: str, before: int) -> Expressions | None:
    """The last statement above a line that gives this name its value; None if there is none (a parameter, a global)."""
    above = [statement for statement in _bindings(function).get(name, ()) if statement.lineno < before]
    return _own(max(above, key=lambda statement: statement.lineno)) if above else None


@lru_cache(maxsize=16)
def _bindings(function: ast.AST) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for node in _inside(function):
        for name in _bound(node):
            assert isinstance(node, ast.stmt)
            found.setdefault(name, []).append(node)
    return found


def _inside(function: ast.AST) -> Iterator[ast.AST]:
    """Every node of a function, without the inside of functions and classes defined in it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))


def _bound(statement: ast.AST) -> set[str]:
    """The names that a statement gives a value, in its head only where it has a body."""
    match statement:
        case ast.Assign(targets=targets):
            roots: list[ast.AST] = list(targets)
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            roots = [target]
        case ast.For(target=target) | ast.AsyncFor(target=target):
            roots = [target]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            roots = [item.optional_vars for item in items if item.optional_vars]
        case _:
            roots = []
    return {n.id for root in roots for n in ast.walk(root) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def argument(outer: Place, inner: Place, name: str) -> Expressions | None:
    """What `outer` gave to parameter `name` of the function that `inner` stopped in; None if that is not known."""
    code = inner.frame.f_code
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    calls = [node for node in outer.expressions.walk() if isinstance(node, ast.Call) and _called(node) == code.co_name]
    given = _given(calls[0], parameters, name) if calls and name in parameters else None
    return Expressions((given,), given.lineno, given.end_lineno or given.lineno) if given is not None else None


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _given(call: ast.Call, parameters: Sequence[str], name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    bound = isinstance(call.func, ast.Attribute) and parameters[0] in ("self", "cls")
    position = parameters.index(name) - bound
    return call.args[position] if 0 <= position < len(call.args) else None
