"""The interceptor of httpx, sync and async: its two transports, for cloud hosts only; and of httpcore below them.

Everything above the transport is httpx's own: redirects, cookies, auth, event hooks, decoding. A mock that stands below
the transport (respx replaces httpcore's pools) is asked, as it would be without us; what it passes on comes to the
pool, which answers too, and with it programs that use httpcore by itself.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpcore
import httpx

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.intercept import AT_CONNECT, PATIENCE, PENDING, ask, lower, lowest
from pytest_hwcloud.interceptors.listening import DRAIN_BYTES, Head, Hearing
from pytest_hwcloud.interceptors.messages import delivered
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, CloudFault, Router


def patches() -> Iterator[Patch]:
    """The two transports, the two pools below them, and where a client sends one request."""
    pools = [
        Patch(httpcore.ConnectionPool, "handle_request", _pool_request),
        Patch(httpcore.AsyncConnectionPool, "handle_async_request", _async_pool_request),
    ]
    transports = [
        Patch(httpx.HTTPTransport, "handle_request", _handle_request),
        Patch(httpx.AsyncHTTPTransport, "handle_async_request", _handle_async_request),
    ]
    _POOLS[:], _TRANSPORTS[:] = pools, transports
    yield from (*transports, *pools)
    if hasattr(httpx.Client, "_send_single_request"):
        yield Patch(httpx.Client, "_send_single_request", _send_single)
        yield Patch(httpx.AsyncClient, "_send_single_request", _async_send_single)


_POOLS: list[Patch] = []
_TRANSPORTS: list[Patch] = []


def _is_covered(patches: list[Patch]) -> bool:
    """Whether somebody else's patch lies over one of ours."""
    return any(vars(one.target).get(one.attribute) is not one.ours for one in patches)


def _router(request: Any) -> Router | None:
    if CURRENT_ROUTER.router is None or _is_covered(_POOLS):
        return None
    return CURRENT_ROUTER.of(request.url.netloc.decode("ascii"))


def _send_single(patch: Patch) -> object:
    def send_single(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        if not CURRENT_ROUTER.offline or not _is_covered([*_POOLS, *_TRANSPORTS]):
            return patch.original(self, request)
        asked = PENDING.asked
        response = patch.original(self, request)
        if PENDING.asked == asked:  # a mock answered; one that passes the call on would have come to us
            CURRENT_ROUTER.mocked(lambda: _wire(request))
        return response

    return send_single


def _async_send_single(patch: Patch) -> object:
    async def send_single(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        if not CURRENT_ROUTER.offline or not _is_covered([*_POOLS, *_TRANSPORTS]):
            return await patch.original(self, request)
        asked = PENDING.asked
        response = await patch.original(self, request)
        if PENDING.asked == asked:
            CURRENT_ROUTER.mocked(lambda: _wire(request))
        return response

    return send_single


def _pool_request(patch: Patch) -> object:
    def handle_request(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        router = CURRENT_ROUTER.of(_netloc(request.url)) if CURRENT_ROUTER.offline else None
        if router is None:
            return patch.original(self, request)
        return _pool_answer(router, _pool_wire(request, b"".join(request.stream)))

    return handle_request


def _async_pool_request(patch: Patch) -> object:
    async def handle_async_request(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        router = CURRENT_ROUTER.of(_netloc(request.url)) if CURRENT_ROUTER.offline else None
        if router is None:
            return await patch.original(self, request)
        body = b"".join([part async for part in request.stream])
        return _pool_answer(router, _pool_wire(request, body))

    return handle_async_request


def _netloc(url: Any) -> str:
    host = url.host.decode("ascii")
    host = f"[{host}]" if ":" in host else host
    return host if url.port in (None, {b"https": 443, b"http": 80}.get(url.scheme)) else f"{host}:{url.port}"


def _pool_wire(request: Any, body: bytes) -> Request:
    url = request.url
    target = f"{url.scheme.decode()}://{_netloc(url)}{url.target.decode('ascii')}"
    return Request(request.method.decode("ascii"), target, lower(dict(request.headers)), body)


def _pool_answer(router: Router, wire: Request) -> Any:
    __tracebackhide__ = True
    answer, fault = ask(router, wire)
    if answer is None:
        raise httpcore_error(fault or CloudFault("connection-reset", wire.url))
    fields, body = delivered(answer, wire)
    return httpcore.Response(
        answer.status,
        headers=[(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in fields],
        content=body,
        extensions={"http_version": b"HTTP/1.1", "reason_phrase": answer.reason.encode("ascii", "ignore")},
    )


def _handle_request(patch: Patch) -> object:
    def handle_request(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        router = _router(request)
        if router is None:
            return patch.original(self, request)
        request.read()
        call = _Call(router, self, request)
        if call.decided:
            return call.outcome()
        try:
            response = patch.original(self, request)
        except Exception as error:
            router.failed(call.wire, error)
            raise
        stream = response.stream = call.listen(response)
        while stream.hearing.at_once and stream.pull():
            pass
        return response

    return handle_request


def _handle_async_request(patch: Patch) -> object:
    async def handle_async_request(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        router = _router(request)
        if router is None:
            return await patch.original(self, request)
        await request.aread()
        call = _Call(router, self, request)
        if call.decided:
            if call.fault is not None and call.fault.abandoned:
                import anyio

                await anyio.sleep(PATIENCE)  # the caller gave up when it was recorded, and does so now
            return call.outcome()
        try:
            response = await patch.original(self, request)
        except BaseException as error:  # a cancelled call too
            router.failed(call.wire, error)
            raise
        stream = response.stream = call.listen(response)
        while stream.hearing.at_once and await stream.apull():
            pass
        return response

    return handle_async_request


class _Call:
    """One request at a transport: the router's answer, and what the client is to get."""

    def __init__(self, router: Router, transport: Any, request: Any) -> None:
        self.router, self.request, self.wire, self.started = router, request, _wire(request), time.time()
        tries = 1 + int(getattr(getattr(transport, "_pool", None), "_retries", 0))
        self.answer: Answer | None = None
        self.fault: CloudFault | None = None
        for _ in range(tries):  # httpx tries again where no connection came about, and only then
            self.answer, self.fault = ask(router, self.wire)
            if self.fault is None or self.fault.kind not in AT_CONNECT:
                break

    @property
    def decided(self) -> bool:
        """Whether the router answered; else the call goes out."""
        return self.answer is not None or self.fault is not None

    def outcome(self) -> Any:
        """The recorded answer as httpx's own response, or the recorded fault as httpx's own exception."""
        __tracebackhide__ = True
        if self.answer is None:
            raise httpx_error(self.fault or CloudFault("connection-reset", self.wire.url), self.request)
        fields, body = delivered(self.answer, self.wire)
        reason = self.answer.reason.encode("ascii", "ignore")
        return httpx.Response(
            self.answer.status,
            headers=[(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in fields],
            stream=_Cut(body, self.answer) if self.answer.missing else httpx.ByteStream(body),
            extensions={"http_version": (self.answer.protocol or "HTTP/1.1").encode(), "reason_phrase": reason},
        )

    def listen(self, response: Any) -> _Heard:
        """The body of the network's answer, listened to."""
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
        head = Head(
            status=response.status_code,
            reason=response.reason_phrase,
            fields=fields,
            protocol=response.extensions.get("http_version", b"").decode("ascii", "replace"),
        )
        return _Heard(response.stream, Hearing(self.router, self.wire, self.started, head))


class _Cut(httpx.ByteStream):
    """The recorded part of a body, and then what httpx raises where the connection is closed before the end."""

    def __init__(self, body: bytes, answer: Answer) -> None:
        super().__init__(body)
        text = "peer closed connection without sending complete message body "
        if answer.framing == "chunked":
            text += "(incomplete chunked read)"
        else:
            text += f"(received {len(body)} bytes, expected {len(body) + answer.missing})"
        self._error = text

    def __iter__(self) -> Iterator[bytes]:
        yield from super().__iter__()
        raise self._made()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in super().__aiter__():
            yield part
        raise self._made()

    def _made(self) -> Exception:
        error = httpx.RemoteProtocolError(self._error)
        error.__cause__ = httpcore.RemoteProtocolError(self._error)
        return error


class _Heard(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The client's stream of an answer's body; what it reads is copied, what it leaves is fetched when it closes."""

    def __init__(self, stream: Any, hearing: Hearing) -> None:
        self.stream, self.hearing = stream, hearing
        self._waiting: deque[bytes] = deque()
        self._error: BaseException | None = None
        self._parts: Any = None
        self._over = False

    def pull(self) -> bool:
        """Fetch the next piece; False at the end, or at an error, which the client meets when it has read so far."""
        if self._over:
            return False
        try:
            self._parts = self._parts or iter(self.stream)
            self._take(next(self._parts))
        except StopIteration:
            self._end()
        except Exception as error:
            self._end(error)
        return not self._over

    async def apull(self) -> bool:
        """The same of an async stream."""
        if self._over:
            return False
        try:
            self._parts = self._parts or aiter(self.stream)
            self._take(await anext(self._parts))
        except StopAsyncIteration:
            self._end()
        except Exception as error:
            self._end(error)
        except BaseException as error:  # cancelled: there is no reader any more
            self._end(error)
            raise
        return not self._over

    def _take(self, part: bytes) -> None:
        self._waiting.append(part)
        self.hearing.took(part)

    def _end(self, error: BaseException | None = None) -> None:
        self._over, self._error = True, error
        if error is None:
            self.hearing.ended()
        elif type(error).__name__ == "RemoteProtocolError" and "without sending complete" in str(error):
            hearing, length = self.hearing, self.hearing.length
            hearing.ended(missing=1 if length is None else length - len(hearing.received))
        else:
            self.hearing.failed(error)

    def __iter__(self) -> Iterator[bytes]:
        while self._waiting or self.pull() or self._waiting:
            yield self._waiting.popleft()
        self._met()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._waiting or await self.apull() or self._waiting:
            yield self._waiting.popleft()
        self._met()

    def _met(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """The client is done; a part that it left is fetched for the recording."""
        while not self.hearing.over and len(self.hearing.received) < DRAIN_BYTES and self.pull():
            pass
        self.hearing.ended()
        self.stream.close()

    async def aclose(self) -> None:
        """The same of an async stream."""
        while not self.hearing.over and len(self.hearing.received) < DRAIN_BYTES and await self.apull():
            pass
        self.hearing.ended()
        await self.stream.aclose()


def _wire(request: Any) -> Request:
    url = request.url
    target = f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}"  # as it is sent
    try:
        body = request.content
    except httpx.RequestNotRead:
        body = b""
    return Request(request.method, target, lower(request.headers), body)


_HTTPX = {
    "dns": "ConnectError",
    "connection-refused": "ConnectError",
    "connection-reset": "ReadError",
    "connect-timeout": "ConnectTimeout",
    "read-timeout": "ReadTimeout",
    "tls": "ConnectError",
}


def httpx_error(fault: CloudFault, request: Any) -> Exception:
    """What httpx raises; httpcore's own error and the lowest one are its causes."""
    middle = httpcore_error(fault)
    error: Exception = getattr(httpx, _HTTPX[fault.kind])(str(middle), request=request)
    error.__cause__ = middle
    return error


def httpcore_error(fault: CloudFault) -> Exception:
    """What httpcore raises."""
    cause = lowest(fault.kind)
    error: Exception = getattr(httpcore, _HTTPX[fault.kind])(str(cause))
    error.__cause__ = cause
    return error
