"""pytest-hwcloud as a subject of the benchmarks in ../shared/bench (see the adapter there for the contracts)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from pytest_hwcloud import AkSkAuth

if TYPE_CHECKING:
    from signing_subjects import Spec


class Signer:
    """AkSkAuth called on a PreparedRequest."""

    note = "AkSkAuth on a PreparedRequest"

    def __init__(self, ak: str, sk: str) -> None:
        self.auth = AkSkAuth(ak, sk)

    def prepare(self, spec: Spec) -> requests.PreparedRequest:
        url = f"https://{spec.host}{spec.path}"
        return requests.Request(spec.method, url, params=spec.query, headers=spec.headers, data=spec.body).prepare()

    def sign(self, native: requests.PreparedRequest) -> str:
        return str(self.auth(native).headers["Authorization"])


def signer(ak: str, sk: str) -> Signer:
    """Benchmark 4."""
    return Signer(ak, sk)
