"""The door for aiohttp: vcrpy's stub around our cassette, for cloud hosts only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
from vcr.stubs.aiohttp_stubs import vcr_request

from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.interceptors.faults import CloudFault, aiohttp_error
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER
from pytest_hwcloud.interceptors.urllib3_pool import lower
from pytest_hwcloud.interceptors.vcr_stub import CASSETTE


def patches() -> Iterator[Patch]:
    """The one method through which every call of a session goes."""
    yield Patch(aiohttp.ClientSession, "_request", _request)


def _request(patch: Patch) -> object:
    async def original(self: Any, method: str, url: Any, **options: Any) -> Any:
        return await patch.original(self, method, url, **options)

    played = vcr_request(CASSETTE, original)

    async def request(self: Any, method: str, url: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        full = str(self._build_url(url))
        router = CURRENT_ROUTER.of_url(full)
        if router is None:
            return await patch.original(self, method, url, **options)
        try:
            return await played(self, method, full if router.offline else url, **options)
        except CloudFault as met:
            fault = met
        except aiohttp.ClientConnectionError as error:
            router.failed(Request(method.upper(), full, lower(options.get("headers") or {})), error)
            raise
        raise aiohttp_error(fault, full)  # out here: no error of ours in the chain that the client sees

    return request
