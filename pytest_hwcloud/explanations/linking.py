"""Which refused call does a value speak of? Links responses, exceptions and bodies to the exchanges of the journal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from subprocess import CalledProcessError, CompletedProcess, Popen, TimeoutExpired
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud import failures
from pytest_hwcloud.cloud.endpoints import is_cloud_host
from pytest_hwcloud.cloud.failures import codes
from pytest_hwcloud.explanations.circumstances import url_host
from pytest_hwcloud.journal import Exchange

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.failures import Failure

# Libraries whose objects can be an answer; of any other object no attribute is touched.
_LIBRARIES = ("requests", "httpx", "urllib3", "aiohttp", "obs", "http", "openstack", "keystoneauth1", "niquests")
_WEIGHTS = {"request_id": 8, "url": 4, "fault": 2, "code": 2, "status": 1}
_CONTRADICTING = ("request_id", "url", "fault", "status")  # a client may lose or replace the code


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a failed test is about: a failure, and the exchange it came from if the run made it.

    after: name of the exception if nothing but the order of events points at the call ("KeyError"), else None.
    """

    failure: Failure
    exchange: Exchange | None = None
    after: str | None = None


def of_exchange(exchange: Exchange, after: str | None = None) -> Evidence | None:
    """The evidence that an exchange gives by itself; None for a success."""
    return Evidence(failure=exchange.failure, exchange=exchange, after=after) if exchange.failure else None


def of_value(value: object, refused: Sequence[Exchange]) -> Evidence | None:
    """The refused exchange that a value speaks of, as an answer, its body, an exception, or our own record of it."""
    match value:
        case Exchange():
            return of_exchange(value)
        case BaseException():
            return of_exception(value, refused)
        case failures.Failure():
            return _linked(value, refused)
        case dict() | list() | str() | bytes():
            found = next(filter(None, (of_exchange(one) for one in reversed(refused) if _is_body(value, one))), None)
            return found or (_of_output(value, refused) if isinstance(value, (str, bytes)) else None)
        case CompletedProcess():
            return _of_outputs((value.stdout, value.stderr), refused) or _of_command(value.args, refused)
        case Popen():
            return _of_command(value.args, refused)
    held = _held(value)
    if held is not None:
        return of_value(held, refused)
    return _linked(value, refused) if _can_answer(value) else None


def of_exception(error: BaseException, refused: Sequence[Exchange]) -> Evidence | None:
    """An exception's failure and exchange; without one if the exception names a cloud host or a known code."""
    if isinstance(error, (CalledProcessError, TimeoutExpired)):
        return _of_outputs((error.output, error.stderr), refused) or _of_command(error.cmd, refused)
    failure = failures.read(error)
    if failure is None:
        return None
    exchange = link(failure, refused)
    if exchange is not None:
        return Evidence(failure=failure, exchange=exchange)
    return Evidence(failure=failure) if _is_of_the_cloud(failure) else None


def _of_outputs(outputs: Sequence[object], refused: Sequence[Exchange]) -> Evidence | None:
    texts = (one for one in outputs if isinstance(one, (str, bytes)) and one)
    return next(filter(None, (_of_output(text, refused) for text in texts)), None)


def _of_command(command: object, refused: Sequence[Exchange]) -> Evidence | None:
    """The last refused call of the program that this very command line started."""
    made = [one for one in refused if (site := getattr(one.where, "command", None)) is not None and site is command]
    return of_exchange(made[-1]) if made else None


def _of_output(output: str | bytes, refused: Sequence[Exchange]) -> Evidence | None:
    """The refused call that the output of a program names: by its request id, or, of its calls alone, by the code."""
    text = output if isinstance(output, str) else output.decode(errors="replace")
    told = [(one, one.failure) for one in refused if one.failure is not None]
    named = [one for one, failure in told if failure.request_id and failure.request_id in text]
    if not named:
        of_programs = [(one, failure.code) for one, failure in told if getattr(one.where, "program", "")]
        named = [one for one, code in of_programs if code and re.search(rf"(?<![\w.]){re.escape(code)}(?![\w.])", text)]
    return of_exchange(named[-1]) if named else None


def host_of(error: BaseException) -> str | None:
    """The host that an exception is about; None if it names none."""
    failure = failures.read(error)
    return (failure.host or url_host(failure.url or "")) if failure else None


def link(failure: Failure, refused: Sequence[Exchange]) -> Exchange | None:
    """The refused exchange that a failure was read from: the latest of those that fit best."""
    scored = [(score, exchange) for exchange in refused if (score := _score(failure, exchange)) > 0]
    best = max((score for score, _ in scored), default=0)
    return next((exchange for score, exchange in reversed(scored) if score == best), None)


def _linked(value: object, refused: Sequence[Exchange]) -> Evidence | None:
    failure = failures.read(value)
    exchange = link(failure, refused) if failure else None
    return Evidence(failure=failure, exchange=exchange) if failure and exchange else None


def _score(failure: Failure, exchange: Exchange) -> int:
    if exchange.failure is None:
        return 0
    told, heard = _marks(failure), _marks(exchange.failure) | {"url": exchange.url, "fault": exchange.fault}
    both = [mark for mark in _WEIGHTS if told[mark] is not None and heard[mark] is not None]
    if any(told[mark] != heard[mark] for mark in both if mark in _CONTRADICTING):
        return 0
    if failure.host and failure.host != url_host(exchange.url):
        return 0
    return sum(_WEIGHTS[mark] for mark in both if told[mark] == heard[mark])


def _marks(failure: Failure) -> dict[str, object]:
    return {mark: getattr(failure, mark) for mark in _WEIGHTS}


def _is_of_the_cloud(failure: Failure) -> bool:
    if failure.url or failure.host:
        return is_cloud_host(failure.host or url_host(failure.url or "") or "")
    return failure.code is not None and codes.entry(failure.code, failure.message, failure.status) is not None


def _is_body(value: object, exchange: Exchange) -> bool:
    body = exchange.answer.body if exchange.answer else b""
    if not body or not value:
        return False
    match value:
        case bytes():
            return value == body
        case str():
            return value == body.decode(errors="replace")
    try:
        return exchange.answer is not None and bool(value == exchange.answer.json())
    except (ValueError, RecursionError):
        return False


def _held(value: object) -> object:
    """What is inside a value that wraps an exchange or exception: pytest.ExceptionInfo, hwcloud.refused's result."""
    kept: Mapping[str, object] = getattr(type(value), "__dict__", {})
    if "from_exc_info" in kept and "_excinfo" in dir(value):
        return getattr(value, "_excinfo", None) and value.value  # type: ignore[attr-defined]
    exchange = _plain(value).get("exchange")
    return exchange if isinstance(exchange, Exchange) else None


def _plain(value: object) -> Mapping[str, object]:
    try:
        return dict(object.__getattribute__(value, "__dict__"))
    except (AttributeError, TypeError):
        return {}


def _can_answer(value: object) -> bool:
    return any(kind.__module__.partition(".")[0] in _LIBRARIES for kind in type(value).__mro__)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what caused it, as its traceback shows them; the leaves of groups on the way."""
    from pytest_hwcloud.cloud.failures import network

    return network.chain(error, kept=False, hidden=_is_pytests)


def _is_pytests(error: BaseException) -> bool:
    """Whether pytest.raises raised it: it hides the exception that it did not find matching."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_globals.get("__name__") == "_pytest.raises"
