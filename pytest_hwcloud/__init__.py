"""pytest-hwcloud: tests for programs that call Huawei Cloud. Every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import needs
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.cloud.policies.policy import Decision, Policy
    from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
    from pytest_hwcloud.cloud.signing.algorithms import sign
    from pytest_hwcloud.cloud.tokens import Token
    from pytest_hwcloud.explanations.explanation import Explanation, explain
    from pytest_hwcloud.journal import Exchange
    from pytest_hwcloud.run.hwcloud import HwCloud

_HOME = {
    "AkSkAuth": "cloud.signing.aksk",
    "Decision": "cloud.policies.policy",
    "Exchange": "journal",
    "Explanation": "explanations.explanation",
    "HwCloud": "run.hwcloud",
    "Identity": "cloud.identity",
    "Policy": "cloud.policies.policy",
    "Token": "cloud.tokens",
    "explain": "explanations.explanation",
    "needs": "cloud.calls.calls",
    "sign": "cloud.signing.algorithms",
}

__all__ = [
    "AkSkAuth",
    "Decision",
    "Exchange",
    "Explanation",
    "HwCloud",
    "Identity",
    "Policy",
    "Token",
    "explain",
    "needs",
    "sign",
]


def __getattr__(name: str) -> object:
    # Lazy (PEP 562): every run of every project that installs the plugin imports this package.
    if name not in _HOME:
        raise AttributeError(f"module 'pytest_hwcloud' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pytest_hwcloud.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
