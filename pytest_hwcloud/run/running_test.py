"""One cloud test while it runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import Scope
from pytest_hwcloud.interceptors import router as route
from pytest_hwcloud.journal import Journal


class Case:
    """One cloud test while it runs: its journal and the router that answers its calls."""

    def __init__(self, item: pytest.Item, journal: Journal, router: route.Router, identity: str) -> None:
        self.item, self.journal, self.router, self.identity = item, journal, router, identity
        self.tokens: set[str] = set()  # values of the tokens that the fixtures gave out
        self.other_scope: Callable[[Identity, Scope], Scope] | None = None  # of the proof: whose token comes instead


CASE = pytest.StashKey[Case]()
