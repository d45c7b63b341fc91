"""pytest-hwcloud as a subject of the benchmarks in ../shared/bench (see the adapter there for the contracts)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from pytest_hwcloud import AkSkAuth, Policy

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


def startup() -> dict[str, list[str]]:
    """Benchmark 1."""
    return {"args": ["-p", "hwcloud"]}


def suite() -> Any:
    """Benchmarks 2 and 6: a signed session, gates, journal, and a cassette of plain vcrpy for each test."""
    from suites import CHECK, Suite, url, vcr_interaction, write_vcr_yaml

    def files(root: Path, i: int, module: str, name: str) -> None:
        write_vcr_yaml(root / "cassettes" / module / f"{name}.yaml", [vcr_interaction(i)])

    def test(i: int) -> str:
        return f"def test_{i}(hwcloud_session):\n    r = hwcloud_session.get({url(i)!r})\n{CHECK}"

    return Suite(
        test=test, header="", args=["-p", "hwcloud"], files=files, note="AK/SK signature, gates and journal included"
    )


class Judging:
    """A policy that is loaded once and asked often."""

    def build(self, document: dict[str, object]) -> Callable[[str, str], bool]:
        return Policy.load(document).asker()


def policy() -> Judging:
    """Benchmark 5."""
    return Judging()
