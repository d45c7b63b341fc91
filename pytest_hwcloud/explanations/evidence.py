"""What is this failure about? Finds the refused call behind an exception, and never blames an innocent one.

In this order: the exception and its causes; the call made by the failing statement; the values that the statement
names, and the statements that gave them their values; for KeyError and its kin alone, the last answer, with a note.
"""

from __future__ import annotations

import ast
import builtins
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from pytest_hwcloud.cloud.endpoints import is_cloud_host
from pytest_hwcloud.explanations.circumstances import url_host
from pytest_hwcloud.explanations.linking import Evidence, chain, host_of, of_exception, of_exchange, of_value
from pytest_hwcloud.journal import Exchange, Journal
from pytest_hwcloud.usercode import values
from pytest_hwcloud.usercode.statement import Expressions, Place, argument, binding, places

# What code raises when it finds a refusal where it expected data: only these may be explained by order alone.
KIN = (KeyError, IndexError, TypeError, AttributeError, ValueError)
_BUILTINS = frozenset(dir(builtins))
_STEPS = 25  # statements that are followed back


def find(error: BaseException, journal: Journal | None) -> Evidence | None:
    """The evidence for one exception (no group); None if it has nothing to do with a refused call."""
    if type(error).__module__.startswith("pytest_hwcloud."):
        return None  # our own errors explain themselves
    refused = journal.refused if journal else []
    told = _by_exception(error, refused)
    if told or journal is None or not refused or _is_of_another_host(error, journal):
        return told
    stack = places(error)
    return _by_statement(stack, journal, refused) or _by_order(error, stack, journal)


def _by_exception(error: BaseException, refused: Sequence[Exchange]) -> Evidence | None:
    found = [e for e in (of_exception(one, refused) for one in chain(error) if _tells(one)) if e]
    return next((e for e in found if e.exchange), found[0] if found else None)


def _is_of_another_host(error: BaseException, journal: Journal) -> bool:
    """Whether the exception is a network client's about a host of the user's own: then no refused call is its story."""
    own = {url_host(exchange.url) for exchange in journal.exchanges}
    hosts = {host for one in chain(error) if _tells(one) and (host := host_of(one))}
    return bool(hosts - own) and not any(is_cloud_host(host) for host in hosts)


def _tells(error: BaseException) -> bool:
    """Whether an exception can be about a call by itself; built-in ones, but for OSError, have values and no story."""
    if type(error).__module__ in ("builtins", "_pytest.outcomes"):
        return isinstance(error, OSError)
    return True


@dataclass(frozen=True)
class _Step:
    """Expressions in a frame of the stack. direct: they are what failed, or its guard."""

    place: int
    expressions: Expressions
    direct: bool = False


def _by_statement(stack: Sequence[Place], journal: Journal, refused: Sequence[Exchange]) -> Evidence | None:
    unexpected = [exchange for exchange in refused if id(exchange) not in journal.expected]
    for step in _trail(stack):
        place = stack[step.place]
        called = _called(place, step, journal)
        if called is not None and called in unexpected:
            return of_exchange(called)
        for value in _values(stack, step):
            found = of_value(value, refused if step.direct else unexpected)
            if found:
                return found
    return None


def _trail(stack: Sequence[Place]) -> Iterator[_Step]:
    """The failing statement, then what its names got their values from, and so on back."""
    failed = (stack[0].expressions, *stack[0].guards) if stack else ()
    waiting = deque(_Step(0, expressions, direct=True) for expressions in failed)
    seen: set[tuple[int, int, int]] = set()
    while waiting and len(seen) < _STEPS:
        step = waiting.popleft()
        key = (step.place, step.expressions.first, step.expressions.last)
        if key in seen:
            continue
        seen.add(key)
        yield step
        waiting.extend(_origins(stack, step))


def _origins(stack: Sequence[Place], step: _Step) -> Iterator[_Step]:
    place = stack[step.place]
    for name in sorted(step.expressions.names):
        bound = binding(place.function, name, step.expressions.first)
        if bound is not None:
            yield _Step(step.place, bound)
        elif step.place + 1 < len(stack):
            given = argument(stack[step.place + 1], place, name)
            if given is not None:
                yield _Step(step.place + 1, given)


def _called(place: Place, step: _Step, journal: Journal) -> Exchange | None:
    """The refused call that these lines made when they last ran; None if they made none, or it was answered."""
    expressions = step.expressions
    first, last = expressions.first, max(expressions.last, expressions.end if step.direct else 0)
    here = [exchange for exchange in journal.exchanges if _made_by(exchange, place.file, first, last)]
    of_programs = [exchange for exchange in here if getattr(exchange.where, "program", "")]
    if of_programs and len(of_programs) == len(here):
        return _lasting(of_programs)
    if expressions.repeats or last > expressions.last:
        tail = takewhile(lambda e: _made_by(e, place.file, first, last), reversed(journal.exchanges))
        here = list(tail)[::-1] or here[-1:]
    else:
        here = here[-max(1, expressions.calls) :]
        if not step.direct and not all(exchange.failure for exchange in here):
            return None  # which of several calls gave the value is not known
    return next((exchange for exchange in reversed(here) if exchange.failure is not None), None)


def _lasting(exchanges: Sequence[Exchange]) -> Exchange | None:
    """The last call of a program that was refused and not answered afterwards: a program's exit code names no line."""
    answered: set[tuple[str, str]] = set()
    for exchange in reversed(exchanges):
        if exchange.failure is None:
            answered.add((exchange.method, exchange.url))
        elif (exchange.method, exchange.url) not in answered:
            return exchange
    return None


def _made_by(exchange: Exchange, file: str, first: int, last: int) -> bool:
    """Whether a call was made by these lines, or by what they called."""
    if exchange.where is None:
        return False
    lines = (exchange.where, *getattr(exchange.where, "callers", ()))
    return any(name == file and first <= line <= last for name, line in lines)


def _values(stack: Sequence[Place], step: _Step) -> Iterator[object]:
    place = stack[step.place]
    fresh = frozenset(name for name in step.expressions.names if step.direct or _still(place, name, step))
    yield from values.named(step.expressions.walk(), place.frame, fresh)
    if step.direct and isinstance(step.expressions.nodes[0], ast.Assert):
        yield from values.temporaries(place.frame)


def _still(place: Place, name: str, step: _Step) -> bool:
    """Whether a name still has the value that an earlier statement read."""
    now, then = (binding(place.function, name, line) for line in (place.line, step.expressions.first))
    return (now and now.first) == (then and then.first)


def _by_order(error: BaseException, stack: Sequence[Place], journal: Journal) -> Evidence | None:
    last = journal.exchanges[-1]
    if not isinstance(error, KIN) or last.failure is None or id(last) in journal.expected:
        return None
    if not stack or _is_closed(stack[0]):
        return None
    return of_exchange(last, after=type(error).__name__)


def _is_closed(place: Place) -> bool:
    """Whether a statement works on nothing but what is written down in its own function: no call, no parameter."""
    waiting, seen = [place.expressions, *place.guards], set()
    while waiting:
        expressions = waiting.pop()
        if expressions.first in seen:
            continue
        seen.add(expressions.first)
        if any(_opens(node) for node in expressions.walk()):
            return False
        origins = [binding(place.function, name, expressions.first) for name in expressions.names - _BUILTINS]
        if None in origins:
            return False
        waiting.extend(origin for origin in origins if origin is not None)
    return True


def _opens(node: ast.AST) -> bool:
    """Whether an expression brings in what is not written there: a call, but for Python's own functions."""
    if isinstance(node, ast.Call):
        return not (isinstance(node.func, ast.Name) and node.func.id in _BUILTINS)
    return isinstance(node, ast.Await)
