"""What a run holds, below all that needs it: settings, configuration, the cloud, tokens, secrets, recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.options import Settings
from pytest_hwcloud.run.token_source import TokenSource
from pytest_hwcloud.secrets.known_secrets import Secrets

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.config import Configuration
    from pytest_hwcloud.run.recording import Recording


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """One run. recording: None in replay. cache_dir: a folder of pytest's cache for parsed cassettes, or None."""

    config: pytest.Config
    settings: Settings
    configuration: Configuration
    state: CloudState
    secrets: Secrets
    tokens: TokenSource
    recording: Recording | None = None
    cache_dir: Path | None = None

    @property
    def region(self) -> str:
        """The region of calls that name none."""
        return self.configuration.region

    def identity(self, name: str) -> Identity:
        """The identity of this name, with credentials to call the cloud in record and live mode.

        UnknownName with the nearest name; MissingCredentials where it has none.
        """
        found = self.state.identity(name)
        return self.recording.require(found) if self.recording else found
