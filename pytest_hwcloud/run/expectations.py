"""What a test states about its calls: refused, assert_ok, assert_called. The messages are their product."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_hwcloud import texts
from pytest_hwcloud.cloud import failures
from pytest_hwcloud.cloud.failures import Failure
from pytest_hwcloud.cloud.identity import check_text, unknown
from pytest_hwcloud.gates.gate import ORDER
from pytest_hwcloud.journal import Exchange, Journal

if TYPE_CHECKING:
    from pytest_hwcloud.explanations.explanation import Explanation

Explain = Callable[[object], "Explanation | None"]  # with all that the run knows
GATES = (*ORDER, "service")
_CALL = re.compile(r"(?P<method>[A-Z]+) (?P<service>[\w-]+) (?P<template>/\S*)")


@dataclass
class Refusal:
    """What `hwcloud.refused` caught; empty until the block ends."""

    failure: Failure | None = None
    exchange: Exchange | None = None
    explanation: Explanation | None = None
    error: BaseException | None = None

    @property
    def code(self) -> str | None:
        return self.failure.code if self.failure else None

    @property
    def gate(self) -> str | None:
        return _gate(self.exchange, self.failure)

    @property
    def status(self) -> int | None:
        return self.failure.status if self.failure else None

    @property
    def message(self) -> str | None:
        return self.failure.message if self.failure else None

    @property
    def request_id(self) -> str | None:
        return self.failure.request_id if self.failure else None


class Refused(AbstractContextManager["Refusal"]):
    """See HwCloud.refused. What the client raises for the refusal is caught; any other exception goes through.

    A class and no generator: so that a failure ends at the line of the test, not in contextlib.
    """

    def __init__(self, explain: Explain, journal: Journal, code: str | None, gate: str | None) -> None:
        if gate is not None and gate not in GATES:
            raise unknown(
                "gate", gate, list(GATES), texts.say("names.see", command=f"hwcloud.refused({_asked(code, gate)})")
            )
        self._explain, self._journal, self._code, self._gate = explain, journal, code, gate
        self._refusal, self._start = Refusal(), len(journal.exchanges)

    def __enter__(self) -> Refusal:
        self._start = len(self._journal.exchanges)
        return self._refusal

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        __tracebackhide__ = True
        refusal, made = self._refusal, self._journal.exchanges[self._start :]
        if error is not None and not _is_about(error, made):
            return False
        refusal.error = error
        _settle(refusal, made, self._code, self._gate)
        if refusal.failure is None or not _fits(refusal, self._code, self._gate):
            _not_refused_so(self._explain, refusal, made, self._code, self._gate)
        refusal.explanation = self._explain(refusal.error or refusal.failure)
        self._journal.expected.update(id(exchange) for exchange in made if exchange.failure is not None)
        return True


def _is_about(error: BaseException, made: Sequence[Exchange]) -> bool:
    """Whether an exception was raised for a refusal: it carries one, or its words name that of a call of the block."""
    if not isinstance(error, Exception) or isinstance(error, AssertionError):
        return False
    if failures.read(error) is not None:
        return True
    told = {mark for e in made if e.failure for mark in (e.failure.request_id, e.failure.code) if mark}
    try:
        text = str(error)
    except Exception:  # of the user's class
        return False
    return any(re.search(rf"(?<![\w.-]){re.escape(mark)}(?![\w-])", text) for mark in told)


def _settle(refusal: Refusal, made: Sequence[Exchange], code: str | None, gate: str | None) -> None:
    """The last call of the block that was refused as asked for, else the last that was refused at all."""
    failed = [exchange for exchange in made if exchange.failure is not None]
    fitting = [e for e in failed if _fits(Refusal(failure=e.failure, exchange=e), code, gate)]
    chosen = (fitting or failed)[-1] if failed else None
    refusal.exchange = chosen
    refusal.failure = chosen.failure if chosen else failures.read(refusal.error) if refusal.error else None


def _fits(refusal: Refusal, code: str | None, gate: str | None) -> bool:
    same_code = code is None or (refusal.code or "").lower() == code.lower()
    return same_code and (gate is None or refusal.gate == gate)


def _gate(exchange: Exchange | None, failure: Failure | None) -> str | None:
    return (exchange.gate if exchange else None) or (failure.gate if failure else None)


def _not_refused_so(
    explain: Explain, refusal: Refusal, made: Sequence[Exchange], code: str | None, gate: str | None
) -> NoReturn:
    __tracebackhide__ = True
    asked = f"hwcloud.refused({_asked(code, gate)})"
    if refusal.failure is None:
        head = texts.say("expectations.none-refused" if made else "expectations.none-made", asked=asked)
        raise AssertionError("\n".join([head, *_listed(made)])) from None
    code = refusal.code or refusal.failure.kind
    error = AssertionError(texts.say("expectations.refused-otherwise", asked=asked, code=code, gate=refusal.gate))
    explanation = explain(refusal.error or refusal.failure)
    if explanation:
        error.add_note(str(explanation))
    raise error from None


def _asked(code: str | None, gate: str | None) -> str:
    parts = [repr(code)] if code else []
    return ", ".join([*parts, f"gate={gate!r}"] if gate else parts)


def _listed(made: Sequence[Exchange]) -> list[str]:
    lines = [f"{e.method} {e.url} -> {e.status or e.fault}" for e in made]
    return _labelled("calls", lines)


def _labelled(label: str, lines: Sequence[str]) -> list[str]:
    """The lines below a label of ten columns."""
    said = texts.say(f"expectations.label-{label}")
    head = said + " " * (10 - texts.columns(said))
    return [f"  {head if index == 0 else ' ' * 10}{line}" for index, line in enumerate(lines)]


def assert_ok(explain: Explain, response: Any) -> Any:
    """See HwCloud.assert_ok."""
    __tracebackhide__ = True
    if response is None:
        raise TypeError(texts.say("expectations.no-response"))
    if isinstance(response, (bool, int, float, complex)):
        raise TypeError(texts.say("expectations.no-such-response", given=repr(response)[:100]))
    failure = failures.read(response)
    if failure is None:
        return response
    status = f"HTTP {failure.status}" if failure.status else texts.say("expectations.no-answer")
    error = AssertionError(texts.say("expectations.not-ok", outcome=f"{status} {failure.code or ''}".rstrip()))
    explanation = explain(response)
    if explanation:
        error.add_note(str(explanation))
    raise error


def assert_called(made: Sequence[Exchange], what: str, times: int | None) -> None:
    """See HwCloud.assert_called."""
    __tracebackhide__ = True
    check_text("hwcloud.assert_called(what)", what)
    count = sum(_is_call(exchange, what) for exchange in made)
    if count == times or (times is None and count):
        return
    asked = f"hwcloud.assert_called({what!r}{f', times={times}' if times is not None else ''})"
    if not made:
        raise AssertionError(texts.say("expectations.no-calls", asked=asked))
    head = (
        texts.say("expectations.called", asked=asked, n=count)
        if count
        else texts.say("expectations.never-called", asked=asked)
    )
    raise AssertionError("\n".join([head, *_calls(made), *([] if count else _hint(what))]))


def _hint(what: str) -> list[str]:
    """What is wrong with the name, where something is: a misspelt action is never called."""
    from pytest_hwcloud.run.markers import MarkerError, check_actions

    if _CALL.fullmatch(what):
        return []
    try:
        check_actions("", [what])
    except MarkerError as problem:
        return _labelled("name", [str(problem)])
    return []


def _is_call(exchange: Exchange, what: str) -> bool:
    call = exchange.call
    if _CALL.fullmatch(what):
        return call.label.lower() == what.lower()
    return call.named_by(what)


def _calls(made: Sequence[Exchange]) -> list[str]:
    counted: dict[str, int] = {}
    for exchange in made:
        needed = ", ".join(exchange.call.actions or exchange.call.identity_actions) or texts.say(
            "expectations.no-action"
        )
        line = texts.say("expectations.made-call", call=exchange.call.label, needed=needed)
        counted[line] = counted.get(line, 0) + 1
    lines = [f"{count} x {line}" for line, count in counted.items()]
    return _labelled("made", lines)
