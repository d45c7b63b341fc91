"""Fixtures of wider scope: their calls belong to them, in their own cassette, also when they clean up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.interceptors import patching
from pytest_hwcloud.interceptors import router as route
from pytest_hwcloud.interceptors.router import NotRecorded
from pytest_hwcloud.journal import CURRENT
from pytest_hwcloud.run.routers import parameter_of, unrecorded

if TYPE_CHECKING:
    from pytest_hwcloud.interceptors.router import Router


@contextmanager
def preparing(
    router: Router | None,
    fixturedef: pytest.FixtureDef[object],
    request: pytest.FixtureRequest,
    finish: Callable[[Router, bool], None],
    own: Path,
) -> Iterator[None]:
    """While this fixture is set up, and again while it cleans up, its calls are routed and attributed to it.

    router: of its cassette, if it has one; own: where that cassette is, or would be.
    finish(router, good): it has cleaned up; good: it was set up.
    """
    name = f"{fixturedef.baseid}::{fixturedef.argname}{parameter_of(request)}"
    if CURRENT.journal is None and router is None:  # for a test that is no cloud test
        yield
        return
    # pytest runs finalizers last in, first out: the first to be added is the last to run, and the other way round.
    ending = ExitStack()
    ready: list[bool] = []
    fixturedef.addfinalizer(ending.close)
    if router is not None:
        fixturedef.addfinalizer(lambda: finish(router, bool(ready)))
    with _own(name, router):
        try:
            yield
        except NotRecorded as error:
            if router is None:  # what was looked in is the cassette of the test that happened to come first
                shown = os.path.relpath(own)
                error.add_note(texts.say("run.fixture-cassette", fixture=fixturedef.argname, file=shown))
            if route.CURRENT_ROUTER.router is not None:  # reported here, and not once more when the test is torn down
                unrecorded(route.CURRENT_ROUTER.router).clear()
            raise
    ready.append(True)  # the recording of a fixture that failed is not kept
    fixturedef.addfinalizer(lambda: ending.enter_context(_own(name, router)))


@contextmanager
def _own(name: str, router: Router | None) -> Iterator[None]:
    journal = CURRENT.journal
    before = journal.fixture if journal else None
    if journal:
        journal.fixture = name
    with route.using(router) if router else ExitStack():
        try:
            yield
        finally:
            patching.forget_sdk_ids()  # or the first test that has the fixture would ask IAM less than the others
            if journal:
                journal.fixture = before
    if journal is None:
        route.leave()  # the test that asked for it is no cloud test
