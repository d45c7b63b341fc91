"""What is served on the loopback ports: the replayed cloud for children, or the refusal of the guard."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.tape import CassetteError, Interaction
from pytest_hwcloud.cloud.endpoints import STANDING_FOR, is_cloud_host, locate
from pytest_hwcloud.cloud.failures.network import fault_kind
from pytest_hwcloud.cloud.signing.algorithms import sign
from pytest_hwcloud.cloud.signing.verification import Claim, read_claim, verify
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.gateway import upstream
from pytest_hwcloud.gateway.messages import Heard, Malformed, Reader, read_answer
from pytest_hwcloud.gateway.port import AT_CONNECT, Caller, Fault
from pytest_hwcloud.interceptors.router import CloudFault, NotRecorded, Router
from pytest_hwcloud.usercode.call_site import CallSite, site_of, speaking_for

if TYPE_CHECKING:
    from pytest_hwcloud.gateway.certificates import Authority

NOT_RECORDED, NOT_RECORDED_OBS = "HWCLOUD.NotRecorded", "HWCloudNotRecorded"
_ANSWERING = 60.0  # seconds that the real cloud may take
METADATA = "169.254.169.254"  # of a server, where an SDK without keys asks for some
Refused = Callable[[str, int, Caller], str]
Secret = Callable[[str], str | None]
_HOST_SIGNED = re.compile(r"AWS4-|.*[?&]X-(?:Amz|Obs)-Signature=", re.I).match


class Refusing:
    """The guard: no cloud host for children. Everything else goes where it would have gone. Needs no certificate."""

    def __init__(self, hosts: Sequence[str], refused: Refused) -> None:
        self._hosts, self._refused = tuple(hosts), refused

    def is_cloud(self, host: str) -> bool:
        return is_cloud_host(host, self._hosts)

    def refusal(self, host: str, port: int, caller: Caller) -> str | None:
        if host == METADATA:
            return texts.say("gateway.metadata")
        return self._refused(host, port, caller) if self.is_cloud(host) else None

    def fault(self, host: str, caller: Caller, kinds: frozenset[str] = AT_CONNECT) -> str | None:
        return None

    def context(self, host: str) -> ssl.SSLContext | None:
        return None

    def distrusted(self) -> ssl.SSLContext | None:
        return None

    def answer(self, request: Request, raw: bytes, caller: Caller) -> Answer | Heard:
        raise Fault("connection-refused")  # nothing gets so far


class Answering:
    """The same cloud that the test calls: its gates, cassettes and journal.

    router: who answers now, None if the test is over. thread: the thread that runs the test. secret: the SK of an AK of
    the run. refused: `host:port` of every other host that was turned away.
    """

    def __init__(
        self,
        authority: Authority,
        router: Callable[[], Router | None],
        hosts: Sequence[str],
        thread: int,
        secret: Secret,
    ) -> None:
        self._authority, self._router, self._hosts, self._thread = authority, router, tuple(hosts), thread
        self._secret = secret
        self.refused: list[str] = []

    def is_cloud(self, host: str) -> bool:
        return is_cloud_host(host, self._hosts) or (host == METADATA and self._gives_keys())

    def _gives_keys(self) -> bool:
        """Whether the running test has opened the metadata service of a server (fixture hwcloud_metadata)."""
        return getattr(getattr(self._router(), "state", None), "metadata", None) is not None

    def refusal(self, host: str, port: int, caller: Caller) -> str | None:
        if self.is_cloud(host):
            return None
        place = f"{host}:{port}"
        if place not in self.refused:
            self.refused.append(place)
        if host == METADATA:
            return texts.say("gateway.metadata")
        return texts.say("gateway.turned_away", place=place, host=host)

    def fault(self, host: str, caller: Caller, kinds: frozenset[str] = AT_CONNECT) -> str | None:
        """Asked at connection time; the call that meets it goes into the journal as the recorded one."""
        router = self._router()
        recorded = _fault_of(router, host) if router is not None else None
        if router is None or recorded is None or recorded.fault not in kinds:
            return None
        try:
            with speaking_for(self._where(caller)):
                router.answer(Request(recorded.method, recorded.uri, recorded.headers, recorded.body))
        except CloudFault as fault:
            return fault.kind
        except (NotRecorded, CassetteError):
            pass
        return None

    def context(self, host: str) -> ssl.SSLContext | None:
        return self._authority.context(host)

    def distrusted(self) -> ssl.SSLContext | None:
        return self._authority.distrusted

    def answer(self, request: Request, raw: bytes, caller: Caller) -> Answer | Heard:
        router = self._router()
        if router is None:
            raise Fault("connection-reset")
        with speaking_for(self._where(caller)):
            try:
                found = router.answer(request)
            except CloudFault as fault:
                raise Fault(fault.kind) from None
            except (NotRecorded, CassetteError) as error:
                return not_recorded(request, str(error))
            if found is not None:
                return found
            try:
                raw = resigned(request, raw, self._secret)
            except ValueError as error:
                return Answer(400, {"Content-Type": "text/plain; charset=utf-8"}, f"{error}\n".encode())
            return _from_the_cloud(request, raw, router)

    def _where(self, caller: Caller) -> CallSite | None:
        """The line that started the program, else the one at which the test stands now; the other is kept as well."""
        now = site_of(sys._current_frames().get(self._thread))
        found = caller.where or now
        if found is None:
            return None
        site = CallSite(found)
        site.callers = found.callers if now is None or found is now else (*found.callers, now, *now.callers)
        site.program, site.command = caller.program or texts.say("gateway.a_program"), caller.command
        return site


def _fault_of(router: Router, host: str) -> Interaction | None:
    tapes = getattr(router, "tapes", ())
    found = [tape.fault_of(host) for tape in tapes if host in tape.hosts]
    return found[0] if found and None not in found else None


def not_recorded(request: Request, text: str) -> Answer:
    """The answer to a call that no cassette has, in the form that the client of this service reads."""
    if locate(request.url).service == "obs":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{NOT_RECORDED_OBS}</Code><Message>{escape(text)}</Message></Error>"
        )
        return Answer(400, {"Content-Type": "application/xml"}, body.encode(), "Bad Request")
    document = {"error_code": NOT_RECORDED, "error_msg": text}
    body = json.dumps(document, ensure_ascii=False)
    return Answer(400, {"Content-Type": "application/json"}, body.encode(), "Bad Request")


def resigned(request: Request, raw: bytes, secret: Secret) -> bytes:
    """A request to a port that stands for a host, as the real host has to read it: with its name, signed for it.

    ValueError for a signature that holds the port's address and cannot be made again.
    """
    given = request.headers.get("host", "")
    host = STANDING_FOR.get(given)
    if host is None:
        return raw
    head, end, body = raw.partition(b"\r\n\r\n")
    new = {"host": host}
    authorization = request.headers.get("authorization", "")
    claim = read_claim(authorization)
    if claim is not None and "host" in claim.names:
        sk = secret(claim.ak)
        if sk is None:
            raise ValueError(texts.say("gateway.unknown_key", place=given, host=host))
        if verify(request, secret=secret, now=datetime.now(UTC)).ok:  # a wrong signature is the cloud's to refuse
            new |= _signature(request, body, claim, sk, host)
    elif _HOST_SIGNED(authorization) or _HOST_SIGNED(request.url):
        raise ValueError(texts.say("gateway.signed_for_a_port", place=given, host=host))
    lines = head.decode("latin-1").split("\r\n")
    for number, line in enumerate(lines[1:], 1):
        name = line.partition(":")[0]
        lines[number] = f"{name}: {new[name.lower()]}" if name.lower() in new else line
    return "\r\n".join(lines).encode("latin-1") + end + body


def _signature(request: Request, body: bytes, claim: Claim, sk: str, host: str) -> dict[str, str]:
    signed = {name: request.headers.get(name, "") for name in claim.names} | {"host": host}
    _, region, service = (*claim.scope.split("/"), "", "")[:3]
    made = sign(
        request.method,
        request.url,
        {**signed, "x-sdk-date": request.headers["x-sdk-date"]},
        body,
        ak=claim.ak,
        sk=sk,
        algorithm=claim.suite.name,
        region=region or None,
        service=service or None,
    )
    return {"authorization": made["Authorization"]}


def _from_the_cloud(request: Request, raw: bytes, router: Router) -> Heard:
    """Record and live mode: the bytes go on as they came, with the child's signature, and so does the answer."""
    scheme, _, rest = request.url.partition("://")
    host, _, number = rest.partition("/")[0].partition("?")[0].partition(":")
    secure = scheme == "https"
    port = int(number or (443 if secure else 80))
    started = time.time()
    try:
        with _connection(host, port, secure) as sock:
            sock.settimeout(_ANSWERING)
            sock.sendall(raw)
            heard = read_answer(Reader(sock), request)
    except (OSError, Malformed) as error:
        router.failed(request, error)
        raise Fault((isinstance(error, OSError) and fault_kind(error)) or "connection-reset") from None
    router.heard(request, heard.answer, started)
    return heard


def _connection(host: str, port: int, secure: bool) -> socket.socket:
    sock, _ = upstream.connect(host, port, upstream.Proxies.of(os.environ), tunnel=True)
    if not secure:
        return sock
    try:
        return ssl.create_default_context().wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise
