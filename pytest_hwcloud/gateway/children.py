"""The processes that the tests of a run start: what each of them meets when it calls the cloud.

`refuse`: cloud hosts are refused and the test fails. `answer`: every child is answered as through the gateway.
"""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.endpoints import STANDING_FOR, is_cloud_host, locate
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.gateway import environment as variables
from pytest_hwcloud.gateway.certificates import PASSWORD, Authority
from pytest_hwcloud.gateway.port import Caller, Port
from pytest_hwcloud.gateway.server import Server
from pytest_hwcloud.gateway.services import Answering, Refusing
from pytest_hwcloud.gateway.upstream import Proxies
from pytest_hwcloud.interceptors.child_processes import CHILDREN
from pytest_hwcloud.interceptors.network_block import NetworkBlocked
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER
from pytest_hwcloud.usercode.call_site import CallSite, call_site

if TYPE_CHECKING:
    from pytest_hwcloud.gateway.forks import Forks

_MOST_PORTS = 200  # that stay open for programs of tests that are over
_INTERPRETERS = ("python", "node", "java", "ruby", "perl", "bash", "sh", "php", "deno", "bun")


@dataclass(frozen=True, kw_only=True)
class Test:
    """The cloud test that runs. thread: the one that runs it. fixture: a fixture of wider scope that is set up now."""

    nodeid: str
    thread: int
    fixture: Callable[[], str | None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class Late:
    """A cloud host that was called when the test of the program was over."""

    test: str
    program: str
    place: str


class Children:
    """One for a run. `starting` is asked for every process that is started while a replayed cloud test runs."""

    def __init__(self, mode: str, hosts: Sequence[str]) -> None:
        self.mode, self.hosts = mode, tuple(hosts)
        self.server = Server()
        self.test: Test | None = None
        self.late: list[Late] = []
        self.forks: Forks | None = None
        self._ports: OrderedDict[tuple[object, ...], Port] = OrderedDict()
        self._numbers: set[int] = set()  # of the ports that refuse
        self._gateways: dict[int, Gateway] = {}  # number of a port → whose it is
        self._of_forks: dict[str, str] | None = None
        self._last: tuple[dict[str, str], Port, dict[str, str]] | None = None  # what a line in a loop gets again
        self._lock = threading.RLock()

    @cached_property
    def authority(self) -> Authority:
        """The throwaway authority of this process; MissingExtra without the extra."""
        return Authority()

    @property
    def running(self) -> str | None:
        """The node id of the test that runs."""
        return self.test.nodeid if self.test is not None else None

    def begin(self, test: Test) -> None:
        """A replayed cloud test begins."""
        self.test = test

    def end(self) -> None:
        """It is over: its gateways close, its programs are refused."""
        test, self.test = self.test, None
        for gateway in [one for one in set(self._gateways.values()) if not one.shared]:
            gateway.close()
        if test is None:
            return
        with self._lock:
            while len(self._ports) > _MOST_PORTS:
                port = self._ports.popitem(last=False)[1]
                self._numbers.discard(port.number)
                self.server.close(port)

    def before_fork(self) -> None:
        """A fork of this process comes: none of our threads may run, and its own children need a port."""
        if self.forks is None:
            from pytest_hwcloud.gateway.forks import Forks

            self.forks = Forks(self)
        self._of_forks = self.starting([sys.executable], None) if self.mode != "off" else None
        self.forks.pause()
        self.server.pause()

    def after_fork(self, is_child: bool) -> None:
        """The fork is done, in the parent and in the child."""
        if not is_child:
            if self.forks is not None:
                self.forks.resume()
            self.server.resume()
            return
        self.server.forget()
        if self.forks is not None:
            self.forks.begin_child()
        found = self._of_forks
        if found is not None:
            changed = {name: value for name, value in found.items() if os.environ.get(name) != value}
            os.environ.update(changed)
            CHILDREN.starting = lambda arguments, given: None if given is None else variables.text_of(given) | changed

    def called_late(self, test: str, program: str, place: str) -> None:
        """A cloud host was called for a test that is over."""
        late = Late(test=test, program=program, place=place)
        if late not in self.late:
            self.late.append(late)

    def close(self) -> None:
        """The run is over."""
        for gateway in set(self._gateways.values()):
            gateway.close()
        if self.forks is not None:
            self.forks.close()
            self.forks = None
        self.server.shutdown()
        self._ports.clear()
        if "authority" in vars(self):
            self.authority.close()

    def starting(self, arguments: object, given: Mapping[object, object] | None) -> dict[str, str] | None:
        """The environment for a program that starts now; None: the one that it would have had.

        arguments: its command line, a text or a list. given: its environment, None for that of this process.
        """
        environment = variables.text_of(given)
        number = _port_in(environment)
        gateway = self._gateways.get(number)
        if gateway is not None:
            return gateway.led_to_the_line(environment, arguments)
        answering = self.mode == "answer" and CURRENT_ROUTER.router is not None  # in record and live mode, too
        if self.test is None or self.mode == "off" or number in self._numbers:
            return None
        if not (CURRENT_ROUTER.offline or answering):
            return None
        caller = self._caller(arguments, Proxies.of(environment))
        if self.mode == "answer":
            return environment | self.answering.routing(environment, self.answering.port(caller))
        port = self._refusing(caller)
        if self._last is None or self._last[0] is not environment or self._last[1] is not port:
            routed = variables.routing(port.url, environment, mode="refuse", hosts=self.hosts)
            self._last = environment, port, environment | routed
        return self._last[2]

    @cached_property
    def answering(self) -> Gateway:
        """The gateway of all children, with `--hwcloud-children=answer`."""
        return self.gateway(shared=True)

    def gateway(self, account: Account | None = None, *, shared: bool) -> Gateway:
        """A new gateway: for the running test, or for all (it answers as the test that runs when a call is made)."""
        return Gateway(self, account, shared=shared)

    def _caller(self, arguments: object, proxies: Proxies | None = None) -> Caller:
        test = self.test
        return Caller(
            program=program_of(arguments),
            command=arguments,
            where=call_site(),
            test=test.nodeid if test is not None else "",
            proxies=proxies or Proxies(),
            shared=test is not None and test.fixture() is not None,
        )

    def _refusing(self, caller: Caller) -> Port:
        """The port of a line of a test: the same for all programs that it starts."""
        key = (caller.program, caller.where, caller.test, caller.proxies)  # not the command: it may hold anything
        with self._lock:
            port = self._ports.pop(key, None) or self.server.open(Refusing(self.hosts, self._refused), caller)
            self._ports[key] = port
            self._numbers.add(port.number)
            return port

    def _refused(self, host: str, port: int, caller: Caller) -> str:
        place, test = f"{host}:{port}", self.test
        text = refused_text(place, caller)
        if test is not None and (caller.test == test.nodeid or caller.shared):
            unrecorded = getattr(CURRENT_ROUTER.router, "unrecorded", None)
            if isinstance(unrecorded, list):
                error = NetworkBlocked(text, Request("CONNECT", f"https://{place}"))
                if text not in map(str, unrecorded):
                    unrecorded.append(error)
        else:
            self.called_late(caller.test, caller.program, place)
        return text

    def owned(self, port: Port, gateway: Gateway) -> Port:
        """Remember whose a port is."""
        self._gateways[port.number] = gateway
        if port.host:
            STANDING_FOR[f"127.0.0.1:{port.number}"] = port.host  # what a client signs for this address is meant for it
        return port

    def disown(self, port: Port) -> None:
        """Close a gateway's port."""
        self._gateways.pop(port.number, None)
        STANDING_FOR.pop(f"127.0.0.1:{port.number}", None)
        self.server.close(port)


class Account(Protocol):
    """What a gateway has to know of the identities and of the region of the run."""

    def keys(self, identity: str | None) -> Mapping[str, str]:
        """The variables with the keys of an identity; None: that of the test."""

    def without_others(self, environment: Mapping[str, str]) -> dict[str, str]:
        """An environment without keys of somebody else."""

    def secret(self, ak: str) -> str | None:
        """The SK of an AK of the run."""

    def hosts(self) -> Sequence[str]:
        """The hosts that get separate variables."""

    def endpoint(self, service: str, region: str | None) -> str:
        """The URL of a service."""


class Gateway:
    """A loopback server for other processes: the fixtures `hwcloud_gateway` and `hwcloud_gateway_shared`."""

    def __init__(self, children: Children, account: Account | None, *, shared: bool) -> None:
        self.shared = shared
        self._children, self._account = children, account
        thread = children.test.thread if children.test is not None else threading.get_ident()
        secret = account.secret if account is not None else lambda ak: None
        self._service = Answering(children.authority, lambda: CURRENT_ROUTER.router, children.hosts, thread, secret)
        self._ports: dict[tuple[object, ...], Port] = {}
        self._closed = False

    def __repr__(self) -> str:
        return f"<hwcloud_gateway: {self.url}>"

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        return self.port().url

    @property
    def ca(self) -> str:
        """The PEM file of the throwaway authority."""
        return str(self._children.authority.ca)

    @property
    def truststore(self) -> str:
        """The same for a JVM: PKCS12, password `changeit`."""
        return str(self._children.authority.truststore)

    @property
    def refused(self) -> list[str]:
        """`host:port` of every host that was turned away, because it is not the cloud's."""
        return list(self._service.refused)

    @property
    def env(self) -> dict[str, str]:
        """A copy of os.environ with all that a child needs."""
        return self.added_to(os.environ)

    def added_to(self, environment: Mapping[str, str], identity: str | None = None) -> dict[str, str]:
        """A copy of an environment with all that a child needs, and without keys of somebody else."""
        own = self._account.without_others(environment) if self._account is not None else dict(environment)
        return own | self.environment(identity)

    def environment(
        self, identity: str | None = None, credentials: bool = True, preload: bool = True
    ) -> dict[str, str]:
        """Only the variables. identity: whose keys. preload: also lead clients that read no proxy variables."""
        found = self.routing(os.environ, self.port(), preload=preload)
        found.update(self._endpoints())
        if credentials and self._account is not None:
            found.update(self._account.keys(identity))
        return found

    def endpoint(self, service: str, region: str | None = None) -> str:
        """`https://127.0.0.1:PORT`, which stands for the host of this service."""
        url = self._account.endpoint(service, region) if self._account is not None else ""
        host = url.partition("://")[2].partition("/")[0]
        return f"https://127.0.0.1:{self.port(host=host).number}"

    def port(self, caller: Caller | None = None, host: str = "") -> Port:
        """The port of a caller: one for a line of the test; without one, for whoever calls."""
        if self._closed:
            raise RuntimeError(texts.say("gateway.closed"))
        caller = caller or Caller()
        key = (caller.program, caller.where, caller.test, caller.proxies, host)
        if key not in self._ports:
            self._ports[key] = self._children.owned(self._children.server.open(self._service, caller, host), self)
        return self._ports[key]

    def routing(self, environment: Mapping[str, str], port: Port, *, preload: bool = True) -> dict[str, str]:
        """The variables that lead a program here and make it trust the throwaway authority."""
        hosts = self._children.hosts
        if preload:
            found = variables.routing(port.url, environment, mode="answer", hosts=hosts, ca=self._children.authority.ca)
        else:
            found = variables.proxies(port.url, environment, hosts)
        found.update(variables.trust(self._children.authority.ca))
        found.update(variables.jvm(port.url, self._children.authority.truststore, PASSWORD, environment))
        return found

    def led_to_the_line(self, environment: dict[str, str], arguments: object) -> dict[str, str] | None:
        """The environment of a program with its own ports, so that its calls are known to be of this line."""
        caller = self._children._caller(arguments)
        if caller.where is None or not caller.test:
            return None
        general = {port.number: host for (*_, where, _, _, host), port in list(self._ports.items()) if where is None}
        ports = {number: self.port(caller, str(host)).number for number, host in general.items()}
        return variables.with_ports(environment, ports)

    def close(self) -> None:
        """Close all ports: a program that is left over meets a closed door."""
        self._closed = True
        for port in self._ports.values():
            self._children.disown(port)
        self._ports.clear()

    def _endpoints(self) -> dict[str, str]:
        """The endpoint variables of the SDKs, for IAM, OBS and the hosts of the test's cassettes."""
        found: dict[str, str] = {}
        for host in self._account.hosts() if self._account is not None else ():
            place = locate(host)
            if place.service == "obs":  # the clients of S3 would call Amazon with the keys that they are given
                if not is_cloud_host(os.environ.get("AWS_ENDPOINT_URL_S3", "").rpartition("/")[2]):
                    found["AWS_ENDPOINT_URL_S3"] = f"https://{host.removeprefix(f'{place.bucket}.')}"
            elif place.service == "iam":
                found["HUAWEICLOUD_SDK_IAM_ENDPOINT"] = f"https://127.0.0.1:{self.port(host=host).number}"
            elif place.service and place.region:
                name = f"HUAWEICLOUD_SDK_REGION_{place.service}_{place.region}".upper().replace("-", "_")
                found[name] = f"https://127.0.0.1:{self.port(host=host).number}"
        return found


def _port_in(environment: Mapping[str, str]) -> int:
    """The port of the loopback server that an environment leads to; 0 for none."""
    for name in (variables.MARK, "HTTPS_PROXY", "https_proxy"):
        value = environment.get(name, "")
        value = value.split("|")[1] if value.count("|") == 3 else value
        number = value.rpartition(":")[2].rstrip("/")
        if number.isdecimal() and "127.0.0.1" in value:
            return int(number)
    return 0


def program_of(arguments: object) -> str:
    """`python sync.py` for a command line: the program, and the script or module that an interpreter runs.

    No further argument is shown, as any may be a secret.
    """
    if isinstance(arguments, (str, bytes)):
        try:
            words = shlex.split(os.fsdecode(arguments))
        except ValueError:
            words = os.fsdecode(arguments).split()
    elif isinstance(arguments, os.PathLike):
        words = [os.fspath(arguments)]
    else:
        words = [os.fsdecode(one) for one in arguments if isinstance(one, (str, bytes, os.PathLike))]  # type: ignore
    while words and "=" in words[0] and not words[0].startswith(("/", ".")):
        words.pop(0)  # VARIABLE=value in front of a command
    if not words:
        return texts.say("gateway.a_program")
    name = PurePath(words[0]).name
    if not name.rstrip("0123456789.").startswith(_INTERPRETERS):
        return name
    options = words[1:]
    if "-m" in options[:-1]:
        return f"{name} -m {options[options.index('-m') + 1]}"
    if "-c" in options or "-e" in options:
        return f"{name} {'-c' if '-c' in options else '-e'}"
    script = next((word for word in options if not word.startswith("-")), "")
    return f"{name} {PurePath(script).name}" if script else name


def refused_text(place: str, caller: Caller) -> str:
    """The message of the failing test: who called what, started by which line, and the two ways out."""
    lines = [texts.say("gateway.refused", place=place)]
    lines.append(texts.say("gateway.refused_program", program=caller.program or texts.say("gateway.a_program")))
    if caller.where is not None:
        lines.append(texts.say("gateway.refused_where", where=shown(caller.where)))
    lines.append(texts.say("gateway.refused_fix"))
    return "\n".join(lines)


def shown(where: CallSite | tuple[str, int]) -> str:
    """`tests/test_x.py:12`."""
    file, line = where
    try:
        relative = os.path.relpath(file)
    except ValueError:  # another drive
        relative = file
    return f"{file if relative.startswith('..') else relative}:{line}"
