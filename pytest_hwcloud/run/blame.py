"""Is a failure of a test about a certain refused call? The question of the proof, asked of a denied run.

Yes if the exception, its causes or their notes name the request id of the refusal, if the evidence of the explanations
leads to the call, or if the failing statement reads what a fixture or setUp made of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType

import pytest

from pytest_hwcloud.explanations.evidence import find
from pytest_hwcloud.explanations.linking import chain
from pytest_hwcloud.explanations.notes import leaves
from pytest_hwcloud.journal import Exchange, Journal
from pytest_hwcloud.usercode.fixtures import definitions_by_name
from pytest_hwcloud.usercode.statement import Place, binding, places

_PREPARING = ("setUp", "asyncSetUp", "setup_method")
Lines = tuple[str, int, int]  # file, first and last line


def speaks_of(error: BaseException, item: pytest.Item, journal: Journal, refused: Sequence[Exchange]) -> bool:
    """Whether a failure is about one of these refused calls. journal: of the run that failed."""
    return any(
        _names(leaf, refused) or _leads_to(leaf, journal, refused) or _reads(leaf, item, refused)
        for leaf in leaves(error)
    )


def _names(error: BaseException, refused: Sequence[Exchange]) -> bool:
    identifiers = [e.failure.request_id for e in refused if e.failure and e.failure.request_id]
    texts = [text for one in chain(error) for text in _texts(one)]
    return any(identifier in text for identifier in identifiers for text in texts)


def _texts(error: BaseException) -> Iterator[str]:
    yield from (note for note in getattr(error, "__notes__", ()) if isinstance(note, str))
    try:
        yield str(error)
    except Exception:  # an exception class of the code under test: what its __str__ raises is no business of ours
        return


def _leads_to(error: BaseException, journal: Journal, refused: Sequence[Exchange]) -> bool:
    found = find(error, journal)
    return found is not None and found.exchange in refused


def _reads(error: BaseException, item: pytest.Item, refused: Sequence[Exchange]) -> bool:
    sources = [lines for name in _parameters_read(error, item) for lines in _makers(name, item)]
    return any(_made_in(exchange, lines) for exchange in refused for lines in sources)


def _parameters_read(error: BaseException, item: pytest.Item) -> set[str]:
    """The parameters of the test function (and of fixtures) that the failing statements read, directly or not."""
    own = {_code(item.obj)} if isinstance(item, pytest.Function) else set()
    fixtures = {_code(one.func) for several in _fixtures(item).values() for one in several}
    return {name for place in places(error) if place.frame.f_code in own | fixtures for name in _read(place)}


def _read(place: Place) -> Iterator[str]:
    code = place.frame.f_code
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    waiting = [(name, part.first) for part in (place.expressions, *place.guards) for name in part.names]
    seen = set(waiting)
    while waiting:
        name, line = waiting.pop()
        bound = binding(place.function, name, line)
        if bound is None and name in parameters:
            yield name
        fresh = {(inner, bound.first) for inner in bound.names} - seen if bound else set()
        seen |= fresh
        waiting.extend(fresh)


def _makers(name: str, item: pytest.Item) -> Iterator[Lines]:
    """The functions that made the value of a test's parameter: its fixture and those below it; for `self` setUp."""
    if name == "self":
        kind = getattr(item, "cls", None)
        methods = (getattr(kind, method, None) for method in _PREPARING)
        yield from (_lines(method) for method in methods if inspect.isfunction(method))
    fixtures, waiting, seen = _fixtures(item), [name], {name}
    while waiting:
        current = waiting.pop()
        for one in fixtures.get(current, ()):
            yield _lines(one.func)
            fresh = set(one.argnames) - seen
            seen |= fresh
            waiting.extend(fresh)
    if name == "self":
        every = (one for several in fixtures.values() for one in several)
        yield from (_lines(one.func) for one in every if _code(one.func).co_varnames[:1] == ("self",))


def _fixtures(item: pytest.Item) -> Mapping[str, Sequence[pytest.FixtureDef[object]]]:
    found = definitions_by_name(item)
    return {name: [one for one in several if inspect.isroutine(one.func)] for name, several in found.items()}


def _code(function: object) -> CodeType:
    plain = inspect.unwrap(getattr(function, "__func__", function))  # type: ignore[arg-type]
    code = getattr(plain, "__code__", None)
    return code if isinstance(code, CodeType) else _NO_CODE


_NO_CODE = compile("", "<none>", "exec")


def _lines(function: object) -> Lines:
    code = _code(function)
    return code.co_filename, code.co_firstlineno, _last_line(code)


def _last_line(code: CodeType) -> int:
    own = max((line for _, _, line in code.co_lines() if line), default=code.co_firstlineno)
    return max([own, *(_last_line(inner) for inner in code.co_consts if isinstance(inner, CodeType))])


def _made_in(exchange: Exchange, lines: Lines) -> bool:
    if exchange.where is None:
        return False
    file, first, last = lines
    return any(
        name == file and first <= line <= last
        for name, line in (exchange.where, *getattr(exchange.where, "callers", ()))
    )
