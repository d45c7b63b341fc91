"""Calls of the official SDK's own clients are looked up: those of every service package that is installed here."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
import random
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from requests.adapters import BaseAdapter

from pytest_hwcloud.cloud.calls import tables
from pytest_hwcloud.cloud.calls.calls import Call, needs
from pytest_hwcloud.cloud.endpoints import base_url, regions

PROJECT = "05041fffa40025702f6dc009cc6f8f33"
PACKAGES = sorted(
    module.name.removeprefix("huaweicloudsdk")
    for module in pkgutil.iter_modules()
    if module.name.startswith("huaweicloudsdk")
    and module.name.removeprefix("huaweicloudsdk") in {*tables.shipped()} - {"obs"}
)  # the client of obs has another core; its calls are asked by URL (test_tables)
GRAPHS = {  # what tells the operations of a graph apart, as the documents of GES have it
    "attach_eip": "bindEip",
    "clear_graph": "clear-graph",
    "detach_eip": "unbindEip",
    "export_graph": "export-graph",
    "import_graph": "import-graph",
    "start_graph": "start",
    "stop_graph": "stop",
    "upgrade_graph": "upgrade",
}
EACH = 25  # operations of a package and version


class Canned(BaseAdapter):
    """Answers every request, and keeps the last one."""

    seen: requests.PreparedRequest | None = None

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.seen = request
        answer = requests.Response()
        answer.status_code, answer._content, answer.request, answer.url = 200, b"{}", request, str(request.url)
        answer.headers["Content-Type"] = "application/json"
        return answer

    def close(self) -> None:
        """Nothing is open."""


def versions(service: str) -> Iterator[Any]:
    """The modules of a package that hold a client."""
    package = importlib.import_module(f"huaweicloudsdk{service}")
    for found in pkgutil.iter_modules(package.__path__):
        if found.name.startswith("v"):
            yield importlib.import_module(f"{package.__name__}.{found.name}")


def client_of(module: Any) -> Any:
    return next(
        c for name, c in inspect.getmembers(module, inspect.isclass) if name.endswith("Client") and "Async" not in name
    )


def operations(client: Any) -> list[str]:
    """Method names of a client whose request can be built from texts alone."""
    return [name.removeprefix("_").removesuffix("_http_info") for name in dir(client) if name.endswith("_http_info")]


def make(module: Any, name: str) -> Any:
    """A request of an operation, every part of its path filled in."""
    kind = getattr(module, "".join(word.capitalize() for word in name.split("_")) + "Request")
    request = kind()
    for attribute in kind.attribute_map:
        if attribute == "body":
            continue
        if kind.openapi_types.get(attribute) == "str":
            known = {"project_id": PROJECT, "action_id": GRAPHS.get(name, "x")}
            value = known.get(attribute) or ("v2" if attribute.endswith("version") else "q1w2")
            setattr(request, attribute, value)
    return request


def called(service: str, module: Any, name: str) -> Call:
    """What the client's request is to us."""
    kind = client_of(module)
    region = next((r for r in regions(service) if r == "cn-north-4"), regions(service)[0])
    keys = GlobalCredentials("AK" * 10, "s" * 40, "d" * 32)
    if kind.new_builder().build.__self__._credential_type[0] == "BasicCredentials":
        keys = BasicCredentials("AK" * 10, "s" * 40, PROJECT)
    client = kind.new_builder().with_credentials(keys).with_endpoints([base_url(service, region)]).build()
    canned = Canned()
    client.get_http_client()._session.mount("https://", canned)
    request = make(module, name)
    with contextlib.suppress(Exception):  # an empty answer is no answer of some operations
        getattr(client, name)(request)
    if canned.seen is None:
        raise ValueError(name)
    return needs(str(canned.seen.method), str(canned.seen.url), canned.seen.body or b"", canned.seen.headers)


def test_packages_are_installed_here() -> None:
    assert {"ecs", "tms", "iam", "vpc", "evs"} <= set(PACKAGES)


@pytest.mark.parametrize("service", PACKAGES)
def test_the_calls_of_a_real_client(service: str) -> None:
    missed, asked = [], 0
    for module in versions(service):
        names = operations(client_of(module))
        chosen = random.Random(f"{service} {module.__name__}").sample(names, min(EACH, len(names)))
        for name in chosen:
            try:
                call = called(service, module, name)
            except (AttributeError, TypeError, ValueError, NotImplementedError):
                continue  # it wants more than texts
            asked += 1
            wanted = name.replace("_", "")
            told = {*(call.operation or "", *call.candidates), *(other.partition(" ")[2] for other in call.also)}
            if call.service != service and not call.also:
                missed.append((name, call.label))
            elif wanted not in {text.replace("_", "").lower() for text in told}:
                missed.append((name, f"{call.label}: {call.operation} {call.candidates}"))
    assert asked >= 10
    assert missed == []
