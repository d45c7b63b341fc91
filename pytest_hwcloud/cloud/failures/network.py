"""Calls that got no answer: the fault, by exception classes or by any operating system's words."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator

from pytest_hwcloud.cloud.failures.failure import Failure

KINDS = {
    "dns": "dns",
    "connection-refused": "network",
    "connection-reset": "network",
    "connect-timeout": "timeout",
    "read-timeout": "timeout",
    "tls": "tls",
}
_WORDS = tuple(
    (re.compile(pattern, re.IGNORECASE), fault)
    for pattern, fault in (
        (
            r"getaddrinfo failed|name or service not known|name resolution|nodename nor servname|failed to resolve"
            r"|no address associated with hostname|name does not resolve|could not resolve host|no such host is known"
            r"|NameResolutionError|UnknownHostException|: no such host\b|ENOTFOUND|EAI_AGAIN|failed to lookup address"
            r"|server misbehaving|php_network_getaddresses|域名解析失败",
            "dns",
        ),
        (
            r"\[SSL|\bSSLError|certificate verify failed|CERTIFICATE_VERIFY|wrong version number|SSLEOFError|\bx509: "
            r"|PKIX path|SSLHandshakeException|SSL connection could not be established|SSL certificate problem"
            r"|self[- ]signed certificate|UNABLE_TO_(?:VERIFY|GET_ISSUER)"
            r"|unable to (?:verify the first|get local issuer)|CERT_HAS_EXPIRED|tls: |ERR_TLS_"
            r"|certificate has expired|SSL_connect",
            "tls",
        ),
        (
            r"connect ?timeout|connection (?:to \S{1,200} )?timed out|Errno 110\b|WinError 10060|ETIMEDOUT"
            r"|dial tcp \S{1,200}: i/o timeout|TLS handshake timeout|connect timed out|connect ETIMEDOUT|curl: \(28\)"
            r"|network is unreachable|no route to host|ENETUNREACH|EHOSTUNREACH",
            "connect-timeout",
        ),
        (r"read timed out|read ?timeout|timed out|i/o timeout|Client\.Timeout|ESOCKETTIMEDOUT", "read-timeout"),
        (
            r"connection refused|ECONNREFUSED|No connection could be made|Could not connect to the endpoint URL"
            r"|Errno 111\b|WinError 10061|actively refused|connect call failed|Errno 61\b",
            "connection-refused",
        ),
        (
            r"connection reset|ECONNRESET|socket hang up|unexpected EOF|\": EOF\b"
            r"|Errno 104\b|WinError 10054|connection aborted|remote ?disconnected|broken pipe"
            r"|server disconnected|closed connection without response|forcibly closed",
            "connection-reset",
        ),
    )
)
_CLASSES = {
    "gaierror": "dns", "herror": "dns", "NameResolutionError": "dns", "ClientConnectorDNSError": "dns",
    "HostUnreachableException": "dns",
    "SSLError": "tls", "SSLCertVerificationError": "tls", "SslHandShakeException": "tls", "ClientSSLError": "tls",
    "ClientConnectorCertificateError": "tls", "CertificateError": "tls",
    "ConnectTimeout": "connect-timeout", "ConnectTimeoutError": "connect-timeout",
    "ConnectionTimeoutError": "connect-timeout",
    "ReadTimeout": "read-timeout", "ReadTimeoutError": "read-timeout", "SocketTimeoutError": "read-timeout",
    "WriteTimeout": "read-timeout", "CallTimeoutException": "read-timeout",
    "ConnectionRefusedError": "connection-refused",
    "ConnectionResetError": "connection-reset", "ConnectionAbortedError": "connection-reset",
    "BrokenPipeError": "connection-reset",
    "RemoteDisconnected": "connection-reset", "ServerDisconnectedError": "connection-reset",
    "RemoteProtocolError": "connection-reset", "IncompleteRead": "connection-reset",
    "ReadError": "connection-reset", "WriteError": "connection-reset",
}  # fmt: skip
_VAGUE = {
    "ConnectionError", "NewConnectionError", "ConnectError", "ClientConnectorError", "ClientConnectionError",
    "ConnectFailure", "ConnectionException", "ProtocolError", "ConnectTransportError", "ClientOSError",
    "TransportError", "NetworkError", "Timeout", "TimeoutError", "ServerTimeoutError", "TimeoutException",
    "UnknownConnectionError", "MaxRetryError", "HTTPError", "RequestTimeoutException",
}  # fmt: skip
_HOST = re.compile(
    r"lookup ([\w.-]{1,255})(?: on |:)|ENOTFOUND ([\w.-]{1,255})|EAI_AGAIN ([\w.-]{1,255})"
    r"|UnknownHostException: ([\w.-]{1,255})|resolve host: ([\w.-]{1,255})|Failed to connect to ([\w.-]{1,255})"
    r"|host='([^'\s]{1,255})'|failed to resolve '([^'\s]{1,255})'|connect to host ([\w.-]{1,255})|https?://([\w.-]{1,255})"
    r"|\(((?:[\w-]{1,63}\.){1,8}[a-z]{2,20}):\d{1,5}\)",
    re.IGNORECASE,
)


def fault_in(text: str) -> str | None:
    """The fault that a text's words indicate, None if they indicate none."""
    return next((fault for pattern, fault in _WORDS if pattern.search(text[:20_000])), None)


def fault_of(chain: Iterable[BaseException]) -> str | None:
    """The fault behind an exception and what it came from; None if no exception of the chain is about the network."""
    errors = list(chain)
    names = [[kind.__name__ for kind in type(error).__mro__] for error in errors]
    exact = next((fault for mro in names if (fault := _exact(mro))), None)
    if not exact and not any(name in _VAGUE for mro in names for name in mro):
        return None
    worded = next((fault for error in errors if (fault := fault_in(_words(error)))), None)
    if exact == "dns" or (exact and worded not in ("dns", "tls")):
        return exact
    return worded or exact or _timeout(names)


def fault_kind(error: BaseException) -> str | None:
    """The fault that a client's exception is; None for one that no cassette can hold (a wrong URL, for instance)."""
    return fault_of(chain(error, hidden=lambda one: True))


def chain(
    error: BaseException, *, kept: bool = True, hidden: Callable[[BaseException], bool] = lambda error: False
) -> Iterator[BaseException]:
    """The exception and what it came from, each once, nearest first: causes, contexts, members of groups.

    kept: also what client libraries keep in an attribute or an argument. hidden: of which exceptions the context counts
    that `raise … from None` hides from the traceback.
    """
    waiting, seen = [error], {id(error)}
    while waiting and len(seen) <= _MOST:
        one = waiting.pop(0)
        yield one
        for other in _behind(one, kept=kept, hidden=hidden):
            if isinstance(other, BaseException) and id(other) not in seen:
                seen.add(id(other))
                waiting.append(other)


_MOST = 60  # exceptions of one chain that are looked at


def _behind(error: BaseException, *, kept: bool, hidden: Callable[[BaseException], bool]) -> Iterator[object]:
    if isinstance(error, BaseExceptionGroup):
        yield from error.exceptions[:_MOST]
    yield error.__cause__
    yield error.__context__ if not error.__suppress_context__ or hidden(error) else None
    if kept:
        yield quietly(error, "reason")
        yield quietly(error, "os_error")
        for members in (quietly(error, "exceptions"), quietly(error, "args")):
            if isinstance(members, (tuple, list)):
                yield from members[:_MOST]


def quietly(owner: object, name: str) -> object:
    """An attribute that may be missing, refuse to be read (httpx without a request), or warn (aiohttp's `code`)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(owner, name, None)
    except Exception:
        return None


def _exact(mro: list[str]) -> str | None:
    """The fault of a class; none if a vague one comes first (urllib3 derives "no connection" from a timeout)."""
    first = next((name for name in mro if name in _CLASSES or name in _VAGUE), "")
    return _CLASSES.get(first)


def _timeout(names: list[list[str]]) -> str | None:
    return "read-timeout" if any("Timeout" in name for mro in names for name in mro[:3]) else None


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


_PROXY = re.compile(
    r"ProxyError|ProxyConnectionError|Unable to connect to proxy|Cannot connect to proxy|proxyconnect tcp"
    r"|Tunnel connection failed"
)
_PROXY_HOST = re.compile(
    r"(?:Connection|Pool)\(host='(?P<host>[^']{1,255})', port=(?P<port>\d{1,5})\): Failed to (?:establish|resolve)"
    r"|proxyconnect tcp: dial tcp (?:lookup )?(?P<go>[\w.:-]{1,255})"
)


def proxy_of(texts: Iterable[str]) -> str | None:
    """`host:port` of the proxy that a call failed at, "" where the texts name none; None if no proxy failed."""
    found = list(texts)
    if not any(_PROXY.search(text[:20_000]) for text in found):
        return None
    named = next((match for text in found if (match := _PROXY_HOST.search(text[:20_000]))), None)
    return (f"{named['host']}:{named['port']}" if named["host"] else named["go"]) if named else ""


def host_in(text: str) -> str | None:
    """The host that a network error's text names."""
    found = _HOST.search(text[:20_000])
    return next((group for group in found.groups() if group), None) if found else None


def network_failure(
    fault: str,
    message: str,
    *,
    host: str | None = None,
    method: str | None = None,
    url: str | None = None,
) -> Failure:
    """The failure of a call that got no answer."""
    return Failure(
        code=None,
        status=None,
        message=" ".join(message.split()),
        gate="network",
        kind=KINDS.get(fault, "network"),
        service=_service(url, host),
        method=method,
        url=url,
        fault=fault,
        host=host or host_in(url or "") or host_in(message),
    )


def _service(url: str | None, host: str | None) -> str | None:
    from pytest_hwcloud.cloud.endpoints import locate

    try:
        return locate(url or host or "").service
    except ValueError:
        return None
