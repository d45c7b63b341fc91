"""pytest-hwcloud: tests for programs that call Huawei Cloud. Every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.aksk import AkSkAuth
    from pytest_hwcloud.cloud.calls import needs
    from pytest_hwcloud.cloud.policy import Decision, Policy
    from pytest_hwcloud.cloud.signing import sign
    from pytest_hwcloud.cloud.tokens import Token
    from pytest_hwcloud.explanations.explanation import Explanation, explain

_HOME = {
    "AkSkAuth": "cloud.aksk",
    "Decision": "cloud.policy",
    "Explanation": "explanations.explanation",
    "Policy": "cloud.policy",
    "Token": "cloud.tokens",
    "explain": "explanations.explanation",
    "needs": "cloud.calls",
    "sign": "cloud.signing",
}

__all__ = ["AkSkAuth", "Decision", "Explanation", "Policy", "Token", "explain", "needs", "sign"]


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
