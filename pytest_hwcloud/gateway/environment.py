"""The environment variables by which programs are led to the loopback server, whatever they are written in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_hwcloud.cloud.endpoints import CLOUD_DOMAINS
from pytest_hwcloud.gateway.upstream import Proxies

PRELOAD = Path(__file__).with_name("preload")
MARK = "HWCLOUD_CHILD"  # what the preloaded files read: mode, proxy, certificate, cloud hosts
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_METADATA = "169.254."  # where a server of the cloud gives out keys
# Each names a PEM file of authorities; the program that reads it stands behind it.
_CA_VARIABLES = (
    "REQUESTS_CA_BUNDLE",  # requests, the Python SDK
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",  # OpenSSL, httpx, Go
    "NODE_EXTRA_CA_CERTS",
    "AWS_CA_BUNDLE",  # boto3, awscli
    "OS_CACERT",  # openstack
    "HTTPLIB2_CA_CERTS",
)


def routing(
    url: str, environment: Mapping[str, str], *, mode: str, hosts: Iterable[str] = (), ca: Path | None = None
) -> dict[str, str]:
    """What leads a program to the proxy at `url`: the proxy variables, and the preloaded files for Python and Node.

    mode: "refuse" or "answer". environment: what the program would have had; its NO_PROXY, PYTHONPATH and NODE_OPTIONS
    are kept.
    """
    found = proxies(url, environment, hosts)
    domains = ",".join((*CLOUD_DOMAINS, *hosts))
    found[MARK] = "|".join((mode, url.partition("://")[2], str(ca or ""), domains))
    found.update(_preloaded(environment))
    return found


def proxies(url: str, environment: Mapping[str, str], hosts: Iterable[str] = ()) -> dict[str, str]:
    """The proxy variables in both spellings. NO_PROXY keeps what it has but for the cloud's hosts."""
    found = {name: url for base in ("http_proxy", "https_proxy") for name in (base, base.upper())}
    kept = [entry for entry in Proxies.of(environment).no_proxy.split(",") if entry.strip()]
    kept = [entry.strip() for entry in kept if not _hides_the_cloud(entry.strip().lower(), tuple(hosts))]
    without = ",".join(dict.fromkeys((*kept, *_LOOPBACK)))
    return found | {"no_proxy": without, "NO_PROXY": without}


def _hides_the_cloud(entry: str, hosts: tuple[str, ...]) -> bool:
    name = entry.lstrip("*").lstrip(".")
    if not name or name.startswith(_METADATA):
        return True
    if any(_within(domain, name) or _within(name, domain) for domain in CLOUD_DOMAINS):
        return True
    return any(fnmatchcase(name, pattern.lower()) or _within(pattern.lower(), name) for pattern in hosts)


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith("." + domain)


def _preloaded(environment: Mapping[str, str]) -> dict[str, str]:
    folder = str(PRELOAD / "python")
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path and path != folder]
    option = f'--require="{(PRELOAD / "preload.cjs").as_posix()}"'
    options = environment.get("NODE_OPTIONS", "").replace(option, "").strip()
    return {
        "PYTHONPATH": os.pathsep.join((folder, *paths)),
        "NODE_OPTIONS": f"{options} {option}".strip(),
    }


def trust(ca: Path) -> dict[str, str]:
    """The variables by which clients trust the throwaway authority."""
    return dict.fromkeys(_CA_VARIABLES, str(ca))


def jvm(url: str, truststore: Path, password: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The same for the JVM, which reads neither proxy nor CA variables."""
    host, _, port = url.partition("://")[2].rpartition(":")
    options = [
        f"-D{scheme}.proxy{part}={value}"
        for scheme in ("http", "https")
        for part, value in (("Host", host), ("Port", port))
    ]
    options += [
        f"-Djavax.net.ssl.trustStore={truststore}",
        f"-Djavax.net.ssl.trustStorePassword={password}",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
    ]
    return {"JAVA_TOOL_OPTIONS": " ".join([*environment.get("JAVA_TOOL_OPTIONS", "").split(), *options])}


def with_ports(environment: Mapping[str, str], ports: Mapping[int, int]) -> dict[str, str]:
    """The same environment with other ports of the loopback server in it."""
    changed = dict(environment)
    for name, value in environment.items():
        if "127.0.0.1" not in value:
            continue
        for old, new in ports.items():
            value = value.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}").replace(
                f"proxyPort={old}", f"proxyPort={new}"
            )
        changed[name] = value
    return changed


def text_of(environment: Mapping[object, object] | None) -> dict[str, str]:
    """An environment as texts, not to be changed: that of this process where there is none, bytes decoded."""
    if environment is None:
        return _OWN.texts()
    return {_text(name): _text(value) for name, value in environment.items()}


class _Own:
    """The environment of this process, decoded once for as long as it stays the same."""

    def __init__(self) -> None:
        self._seen: object = None
        self._texts: dict[str, str] = {}

    def texts(self) -> dict[str, str]:
        """os.environ as a dictionary; the same one until a variable changes."""
        data = getattr(os.environ, "_data", None)  # compared in C; where it is missing nothing is kept
        if data is None or data != self._seen:
            self._seen, self._texts = dict(data) if data is not None else None, dict(os.environ)
        return self._texts


_OWN = _Own()


def _text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, (bytes, str, os.PathLike)) else str(value)
