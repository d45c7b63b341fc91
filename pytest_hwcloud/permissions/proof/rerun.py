"""One more run of a test that is not reported: no reports, no output, no counting, and the item as it was before.

The hooks of the three phases are called as in pytest's own protocol, so that function fixtures are set up again, but
neither makereport nor logreport: control and denied runs are no tests of the user's.
"""

from __future__ import annotations

import io
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from _pytest.assertion import util as assertion
from _pytest.tmpdir import tmppath_result_key

from pytest_hwcloud.journal import Exchange, Journal

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.cloud.tokens import Scope
    from pytest_hwcloud.permissions.running import Run


@dataclass(kw_only=True)
class Rerun:
    """What came of it. outcome: passed, failed or skipped. refused: the injected refusals. caused: they made it fail.

    error: name of the exception's class; its text may hold anything. in_setup: a fixture failed, not the test.
    """

    outcome: str
    journal: Journal
    error: str = ""
    refused: list[Exchange]
    caused: bool = False
    in_setup: bool = False


def rerun(
    run: Run,
    item: pytest.Item,
    injected: Callable[[Exchange], bool] = lambda exchange: False,
    other_scope: Callable[[Identity, Scope], Scope] | None = None,
    *,
    whole: bool = False,
) -> Rerun:
    """Run the test once more. injected: which refusals count. other_scope: the scope that its tokens get.

    whole: with its wider fixtures, which are torn down like its own; none of them may be alive.
    """
    with _unseen(item), run.rerunning(item) as case:
        case.other_scope = other_scope
        outcome, error, in_setup = _phases(item, None if whole else item.parent)
        refused = [exchange for exchange in case.journal.exchanges if injected(exchange)]
        caused = error is not None and bool(refused) and run.speaks_of(error, item, refused)
    name = type(error).__name__ if error is not None else ""
    return Rerun(outcome=outcome, journal=case.journal, error=name, refused=refused, caused=caused, in_setup=in_setup)


def _phases(item: pytest.Item, keep: object) -> tuple[str, BaseException | None, bool]:
    """Outcome, error, and whether it came from a fixture. keep: down to which node is torn down."""
    hook = item.ihook
    _renew(item)
    error = _error(item, lambda: hook.pytest_runtest_setup(item=item))
    item.stash.setdefault(tmppath_result_key, {})["setup"] = True  # makereport does it; the tmp_path fixture wants it
    in_setup = error is not None
    if error is None:
        error = _error(item, lambda: hook.pytest_runtest_call(item=item))
    left = _error(item, lambda: hook.pytest_runtest_teardown(item=item, nextitem=keep))
    error = error or left
    if error is None:
        return "passed", None, False
    return ("skipped" if _is_skip(error) else "failed"), error, in_setup


def _renew(item: pytest.Item) -> None:
    """No value of the run before: neither of fixtures nor on the instance of its class."""
    if isinstance(item, pytest.Function):
        item._initrequest()
        known = getattr(item.cls, item.originalname, None) if item.cls else None
        if known is not None and getattr(item.obj, "__func__", None) is known:
            item.__dict__.pop("_instance", None)
            item.__dict__.pop("_obj", None)


def _error(item: pytest.Item, phase: Callable[[], object]) -> BaseException | None:
    try:
        phase()
    except (KeyboardInterrupt, pytest.exit.Exception):
        raise
    except BaseException as error:
        return error
    # unittest passes its result so; what is raised is empty then.
    told: list[pytest.ExceptionInfo[BaseException]] = item.__dict__.pop("_excinfo", None) or []
    return told[0].value if told else None


def _is_skip(error: BaseException) -> bool:
    unittest = sys.modules.get("unittest")
    kinds = (pytest.skip.Exception, pytest.xfail.Exception, *((unittest.SkipTest,) if unittest else ()))
    return isinstance(error, kinds)


@contextmanager
def _unseen(item: pytest.Item) -> Iterator[None]:
    """Whatever a run leaves behind on item, terminal, log and warnings is taken away."""
    sections, properties = len(item._report_sections), len(item.user_properties)
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings(record=True))
        stack.enter_context(_without_handlers(logging.getLogger()))
        stack.enter_context(_without_words())
        if item.config.getoption("capture", "fd") == "no":
            stack.enter_context(redirect_stdout(io.StringIO()))
            stack.enter_context(redirect_stderr(io.StringIO()))
        if hasattr(type(item), "addSubTest"):
            stack.enter_context(_subtests(item))
        try:
            yield
        finally:
            del item._report_sections[sections:]
            del item.user_properties[properties:]


@contextmanager
def _without_handlers(logger: logging.Logger) -> Iterator[None]:
    handlers, logger.handlers = logger.handlers, []
    try:
        yield
    finally:
        logger.handlers = handlers


@contextmanager
def _without_words() -> Iterator[None]:
    """No explanation of a failing assertion: it is not read, and it takes longer than the test."""
    kept = assertion._reprcompare
    assertion._reprcompare = None
    try:
        yield
    finally:
        assertion._reprcompare = kept


@contextmanager
def _subtests(item: pytest.Item) -> Iterator[None]:
    """unittest's subtests: pytest would report each at once; here a failed one is the failure of the test."""

    def heard(case: object, test: object, failure: object) -> None:
        if failure is not None:
            item._addexcinfo(failure)  # type: ignore[attr-defined]

    item.addSubTest = heard  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del item.addSubTest  # type: ignore[attr-defined]
