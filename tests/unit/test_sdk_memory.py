"""What the SDK found for one test is not there for the next."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from pytest_hwcloud.interceptors import patching


def test_what_the_sdk_found_is_forgotten() -> None:
    from huaweicloudsdkcore.auth.credentials import BasicCredentials

    BasicCredentials._CACHE["ak" + "cn-north-4"] = "05041fffa40025702f6dc009cc6f8f33"
    patching.forget_sdk_ids()
    assert BasicCredentials._CACHE == {}


def test_older_versions_keep_it_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = {"ak": "0503dda878000fed0f75c0096d70a960"}
    old = SimpleNamespace(AuthCache=SimpleNamespace(_cache_dict=memory))
    monkeypatch.setitem(sys.modules, "huaweicloudsdkcore.auth.cache", old)
    patching.forget_sdk_ids()
    assert memory == {}


def test_without_the_sdk_there_is_nothing_to_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("huaweicloudsdkcore")]:
        monkeypatch.delitem(sys.modules, name)
    patching.forget_sdk_ids()
    assert not any(name.startswith("huaweicloudsdkcore") for name in sys.modules)
