"""The run as the permission checks see it: it stands above them, with what it holds and what it does for the proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.cloud.tokens import Scope
    from pytest_hwcloud.config import Configuration
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.journal import Exchange, Journal
    from pytest_hwcloud.options import Settings
    from pytest_hwcloud.secrets.known_secrets import Secrets


class RunningTest(Protocol):
    """One test while it runs again. other_scope: of a token that it asks for, the scope that it gets instead."""

    journal: Journal
    other_scope: Callable[[Identity, Scope], Scope] | None


class Run(Protocol):
    """The run that the checks belong to."""

    config: pytest.Config
    settings: Settings
    configuration: Configuration
    state: CloudState
    secrets: Secrets

    def leave(self) -> None:
        """Take everything back that was patched."""

    def claims(self, item: pytest.Item) -> Mapping[str, Mapping[str, object]]:
        """What the cassettes of a test are about, by their metadata."""
        ...

    def given_tokens(self, item: pytest.Item) -> frozenset[str]:
        """The values of the tokens that its fixtures gave to a test."""
        ...

    def tearing_down(self, item: pytest.Item) -> AbstractContextManager[None]:
        """The teardown phase of a test."""
        ...

    def rerunning(self, item: pytest.Item) -> AbstractContextManager[RunningTest]:
        """While the proof runs a test again."""
        ...

    def speaks_of(self, error: BaseException, item: pytest.Item, refused: Sequence[Exchange]) -> bool:
        """Whether a failure of a test that runs is about one of these refused calls."""
        ...
