"""Where the services live: host to service, region and scope, and back. Facts: facts/endpoints.json."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.identity import DEFAULT_REGION, UnknownName, unknown

CLOUD_DOMAINS = (
    "myhuaweicloud.com",
    "myhuaweicloud.cn",
    "myhuaweicloud.eu",
    "myhwclouds.com",
    "huaweicloud.com",
    "hwclouds.com",
    "sc.otc.t-systems.com",
    "otc.t-systems.com",
    "prod-cloud-ocb.orange-business.com",
)
_SUFFIXES = tuple("." + domain for domain in CLOUD_DOMAINS)
_FREE_REGIONS = ".otc.t-systems.com"  # this operator's region ids (eu-de) do not end in a number
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d+").fullmatch
_OBS_LABELS = frozenset({"obs", "obs-website", "oss"})
ANY_REGION = "{region}"  # where the documents have the endpoint's form and not the regions in which it is
STANDING_FOR: dict[str, str] = {}  # 127.0.0.1:PORT of this process → the cloud host that it stands for
_OVERRIDE = "HUAWEICLOUD_SDK_REGION_"
_IAM_OVERRIDE = "HUAWEICLOUD_SDK_IAM_ENDPOINT"
_ENDPOINT = re.compile(r"https?://(?:[\w.-]*\w|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(?:/[^\s?#]*)?")


class WrongEndpoint(UnknownName):
    """A variable of the environment that names an endpoint, and is none; the text has the variable and its value."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a host is: service (None if unknown), region (None if the host names none), scope, bucket (OBS only)."""

    service: str | None
    region: str | None
    scope: str  # "regional", "global" or "unknown"
    bucket: str | None = None


class Service(NamedTuple):
    """One service of the facts: its scope, its endpoint in each region, and further hosts ("*" for the region)."""

    scope: str
    endpoints: Mapping[str, str]
    hosts: tuple[str, ...]


@cache
def _facts() -> dict[str, dict[str, list[object]]]:
    source = Path(__file__).with_name("facts") / "endpoints.json"
    facts: dict[str, dict[str, list[object]]] = json.loads(source.read_bytes())
    return facts


def services() -> tuple[str, ...]:
    """Every service that the facts name, sorted."""
    return tuple(_facts()["services"])


@cache
def _service(name: str) -> Service | None:
    match _facts()["services"].get(name) or _facts()["services"].get(_shared_host(name)):
        case [str(scope), dict(templates), list(further)]:
            endpoints = {r: url.replace("*", r) for url, regions in templates.items() for r in regions.split()}
            return Service(scope, endpoints, (*(url.partition("://")[2] for url in templates), *further))
    return None


def _shared_host(label: str) -> str:
    # Several services behind one host, none of them called as the host is: dms is kafka, rabbitmq and rocketmq.
    candidates = _index().get((label, True), [])
    return candidates[0] if len(candidates) > 1 else ""


@cache
def _index() -> dict[tuple[str, bool], list[str]]:
    """(first label or whole host, region in the host?) -> the services there."""
    index: dict[tuple[str, bool], list[str]] = {}
    for name, (_, templates, further) in _facts()["services"].items():
        assert isinstance(templates, dict)
        assert isinstance(further, list)
        for host in (*(url.partition("://")[2] for url in templates), *further):
            names = index.setdefault(_place(host)[:2], [])
            if name not in names:
                names.append(name)
    return index


def _place(host: str) -> tuple[str, bool, str | None]:
    """The key of a host in the index, and its region."""
    rest = _within_cloud(host)
    match rest.split("."):
        case [label] if label:
            return label, False, None
        case [label, region] if region == "*" or _REGION(region) or host.endswith(_FREE_REGIONS):
            return label, True, region
    return host, False, None


def _within_cloud(host: str) -> str:
    """The part of the host in front of the cloud's domain; "" for a host outside the cloud."""
    return next((host.removesuffix(suffix) for suffix in _SUFFIXES if host.endswith(suffix)), "")


def _bare(host_or_url: str) -> str:
    """Host and port, lower case, of a URL or host."""
    _, separator, rest = host_or_url.partition("://")
    host = (rest if separator else host_or_url).partition("/")[0].partition("?")[0]
    return host.rpartition("@")[2].lower()


def _hostname(netloc: str) -> str:
    host, _, port = netloc.rpartition(":")
    return (host if port.isdigit() else netloc).rstrip(".")


def locate(host_or_url: str) -> Endpoint:
    """Which service, region and scope a host or URL belongs to; service None if it is unknown."""
    netloc = _bare(host_or_url)
    found = _locate(netloc)
    # The environment may change at any time, so it is read again, but only for hosts the facts do not know.
    return _locate_override(netloc) or found if found.service is None else found


@lru_cache(maxsize=512)
def _locate(netloc: str) -> Endpoint:
    host = _hostname(netloc)
    return _locate_bucket(host) or _locate_service(host)


def _locate_bucket(host: str) -> Endpoint | None:
    labels = _within_cloud(host).split(".")
    at = next((i for i, label in enumerate(labels) if i and label in _OBS_LABELS), 0)
    if not at or len(labels) > at + 2:
        return None
    return Endpoint("obs", labels[at + 1] if len(labels) == at + 2 else None, "regional", ".".join(labels[:at]))


def _locate_service(host: str) -> Endpoint:
    label, regional, region = _place(host)
    name = _name(label, regional)
    return Endpoint(name, region, service_scope(name)) if name else Endpoint(None, region, "unknown")


def _name(label: str, regional: bool) -> str | None:
    """The service at a host that begins so: the host's own word if it can be, as it says more than an alphabet."""
    candidates = _index().get((label, regional), [])
    scopes = {service_scope(name) for name in candidates}
    if (len(candidates) > 1 and regional) or (not candidates and service_scope(label) != "unknown"):
        return label
    if service_scope(label) in scopes:
        return label
    return candidates[0] if candidates else next(iter(_index().get((label, not regional), [])), None)


@lru_cache(maxsize=512)
def services_at(host_or_url: str, service: str) -> tuple[str, ...]:
    """The services whose calls can go to a host that `locate` gave to this service: it first, then the others there.

    Packages of the official SDKs share hosts: kafka, rabbitmq and rocketmq are dms; config is rms; eip is vpc.
    """
    label, regional, region = _place(_hostname(_bare(host_or_url)))
    there = _index().get((label, regional)) or _index().get((label, not regional)) or []
    if service not in there and _service(service) and service != label:  # at a host that the environment names
        there = [name for names in _index().values() if service in names for name in names]
    host = _hostname(_bare(host_or_url))
    exact = [name for name in there if region and host in base_hosts(name, region)]
    return tuple(dict.fromkeys([service, *sorted(exact or there)]))


def hosts_begin_with(service: str, label: str) -> bool:
    """Whether a host of the service begins with this label (kafka is at dms.*)."""
    found = _service(service)
    return found is not None and any(host.partition(".")[0] == label for host in found.hosts)


def host_labels(service: str) -> tuple[str, ...]:
    """The first labels of a service's hosts."""
    found = _service(service)
    return tuple(dict.fromkeys(host.partition(".")[0] for host in found.hosts)) if found else ()


def base_hosts(service: str, region: str) -> tuple[str, ...]:
    """The host of a service in a region, or nothing."""
    found = _service(service)
    url = found.endpoints.get(region) if found else None
    return (url.partition("://")[2],) if url else ()


def _overrides() -> Iterator[tuple[str, str, list[str]]]:
    """(service, region, endpoints) of each HUAWEICLOUD_SDK_REGION_<SERVICE>_<REGION> in the environment."""
    for variable, value in os.environ.items():
        if variable.startswith(_OVERRIDE):
            service, _, region = variable.removeprefix(_OVERRIDE).lower().partition("_")
            yield service, region.replace("_", "-"), [_with_scheme(url.strip()) for url in value.split(",")]


def _with_scheme(endpoint: str) -> str:
    return endpoint if endpoint.startswith(("http://", "https://")) else "https://" + endpoint


def check_environment() -> None:
    """WrongEndpoint for the first variable of the SDK that names an endpoint, and holds something else."""
    for variable in sorted(os.environ):
        of_region = variable.startswith(_OVERRIDE) and "_" in variable.removeprefix(_OVERRIDE)
        if of_region or variable == _IAM_OVERRIDE:
            _endpoints(variable)


def _endpoints(variable: str) -> list[str]:
    """The endpoints that a variable names; [] if it is not set or empty. WrongEndpoint."""
    value = os.environ.get(variable)
    found = [_with_scheme(part.strip()) for part in value.split(",")] if value else []
    for endpoint in found:
        match = _ENDPOINT.fullmatch(endpoint)
        if match is None or int(match[1] or 0) > 65535:
            raise WrongEndpoint(texts.say("names.no-endpoint", variable=variable, value=_shown(value or "")))
    return found


def _shown(value: str) -> str:
    """A wrong value as a message has it: short, on one line, and without what may be a password or a token in it."""
    bare = re.sub(r"^(\w+://)?.*@", r"\1***@", value.partition("?")[0], flags=re.DOTALL)
    return ascii(bare if len(bare) <= 60 else bare[:57] + "...")


def _locate_override(netloc: str) -> Endpoint | None:
    places = {(service, region) for service, region, urls in _overrides() if netloc in map(_bare, urls)}
    iam = os.environ.get(_IAM_OVERRIDE)
    if iam and _bare(iam) == netloc:
        places.add(("iam", ""))
    if len(places) != 1:  # one host for several services does not determine the service
        return None
    service, region = places.pop()
    return Endpoint(service, region or None, service_scope(service))


def _override(service: str, region: str) -> str | None:
    variable = f"{_OVERRIDE}{service}_{region}".upper().replace("-", "_")
    found = _endpoints(variable) or (_endpoints(_IAM_OVERRIDE) if service == "iam" else [])
    return found[0].rstrip("/") if found else None


def base_url(service: str, region: str) -> str:
    """The endpoint of a service in a region, without a slash at its end. A global service answers in every region.

    UnknownName for an unknown service, or a region in which a regional service has no endpoint; WrongEndpoint.
    """
    name = service.lower()
    found = _service(name)
    if found is None:
        raise unknown("service", service, list(services()))
    if override := _override(name, region):
        return override
    if region in found.endpoints:
        return found.endpoints[region]
    if list(found.endpoints) == [ANY_REGION] and not _is_partner(region):
        return found.endpoints[ANY_REGION].replace(ANY_REGION, region)
    alike = [name for name in found.endpoints if _is_partner(name) == _is_partner(region)]
    if found.scope == "global" and alike:
        return found.endpoints[_nearest(region, alike)]
    raise unknown("region", region, found.endpoints, texts.say("names.of-service", name=name))


def _is_partner(region: str) -> bool:
    """Whether a region is run by a partner under its own domain: its calls never go to hosts of another cloud."""
    login = _service("iam")
    return login is not None and login.endpoints.get(region, "").endswith(_FREE_REGIONS)


def _nearest(region: str, known: Iterable[str]) -> str:
    def closeness(candidate: str) -> tuple[int, bool]:
        words = zip(candidate.split("-"), region.split("-"), strict=False)
        return len(list(takewhile(lambda pair: pair[0] == pair[1], words))), candidate == DEFAULT_REGION

    return max(known, key=closeness)


def regions(service: str) -> tuple[str, ...]:
    """The regions in which a service has its own endpoint; () for an unknown service."""
    found = _service(service.lower())
    return tuple(sorted({*found.endpoints} - {ANY_REGION})) if found else ()


@cache
def known_regions() -> tuple[str, ...]:
    """Every region in which some service has an endpoint, sorted."""
    rows = (row[1] for row in _facts()["services"].values() if isinstance(row[1], dict))
    found = {region for templates in rows for names in templates.values() for region in str(names).split()}
    return tuple(sorted(found - {ANY_REGION}))


def service_scope(service: str) -> str:
    """Whether a service is "regional" or "global"; "unknown" for a name that the facts do not have."""
    found = _service(service.lower())
    return found.scope if found else "unknown"


def derived_service(service: str) -> str:
    """The name by which V11-HMAC-SHA256 signs calls of a service."""
    return str(_facts()["derived"].get(service, service))


def nearest_host(url: str) -> str | None:
    """A host of the cloud that is spelt like the one of this URL, which no service has; None for other hosts."""
    host = _hostname(_bare(url))
    label, dot, rest = host.partition(".")
    if not dot or not is_cloud_host(host) or locate(url).service:
        return None
    near = get_close_matches(label, {name for name, _ in _index() if "." not in name}, 1, 0.6)
    return f"{near[0]}.{rest}" if near else None


@lru_cache(maxsize=512)
def is_cloud_host(host: str, extra: tuple[str, ...] = ()) -> bool:
    """Whether a host (with or without port) belongs to Huawei Cloud, or matches one of the globs in `extra`."""
    name = _hostname(host.lower())
    if name.endswith(_SUFFIXES) or name in CLOUD_DOMAINS:
        return True
    return any(fnmatchcase(name, pattern.lower()) or fnmatchcase(host.lower(), pattern.lower()) for pattern in extra)
