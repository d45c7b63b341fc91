from types import SimpleNamespace

import pytest

from pytest_hwcloud import AkSkAuth
from pytest_hwcloud.cloud.identity import default_identity


@pytest.fixture(scope="session")
def viewer():
    """The viewer, for fixtures that live longer than a test."""
    known = default_identity("viewer")
    return SimpleNamespace(auth=AkSkAuth(known.ak, known.sk), project_id=known.project("cn-north-4").id)
