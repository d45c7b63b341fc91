"""The read-only calls to IAM that `actions refresh` makes: signed, paged, and tried again when IAM is busy."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_hwcloud import texts
from pytest_hwcloud.commands import UsageError

if TYPE_CHECKING:
    import requests

_TRIES = 6
_LONGEST = 60.0  # seconds that a Retry-After is waited for at most
_BUSY = (429, 500, 502, 503, 504)
_PAGE = 200
_PAGES = 1000
_TIMEOUT = (10, 60)


def connect(region: str | None) -> IamClient:
    """A client with the keys of the identity `default`, as record mode finds them; UsageError if there are none."""
    import requests

    from pytest_hwcloud.cloud.credentials import MissingCredentials, live_identities
    from pytest_hwcloud.cloud.endpoints import base_url
    from pytest_hwcloud.cloud.identity import DEFAULT_DOMAIN_ID, UnknownName
    from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
    from pytest_hwcloud.config import ConfigError, live_secrets, load_configuration
    from pytest_hwcloud.options import Settings

    try:
        configuration = load_configuration(Settings(config_file=Path("hwcloud.yaml").resolve()))
        region = region or configuration.region
        only = {"default": configuration.identities["default"]}
        identity = live_identities(only, lambda name: live_secrets(configuration, name), region)["default"]
        base = base_url("iam", region)
    except (ConfigError, MissingCredentials, UnknownName) as error:
        raise UsageError(str(error)) from None
    if not identity.ak:
        raise UsageError(texts.say("actions.no-keys"))
    session = requests.Session()
    domain = identity.domain_id if identity.domain_id != DEFAULT_DOMAIN_ID else None
    session.auth = AkSkAuth(identity.ak, identity.sk, security_token=identity.security_token, domain_id=domain)
    return IamClient(session, base)


class IamClient:
    """Reads from IAM; UsageError for whatever cannot be read."""

    def __init__(self, session: requests.Session, base: str) -> None:
        self._session, self._base = session, base

    def service_codes(self) -> list[str]:
        """The codes of all services that are registered."""
        found: list[str] = []
        for page, url in self._pages("/v5/authorization-schemas/registered-services"):
            codes = page.get("service_codes")
            if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
                raise UsageError(texts.say("actions.odd-answer", url=url, key="service_codes"))
            found += codes
        return found

    def schema(self, code: str) -> tuple[object, str]:
        """The answer for one service, and the URL it came from."""
        path = f"/v5/authorization-schemas/services/{quote(code, safe='')}"
        return self._get(path, {}), self._base + path

    def roles(self) -> Iterator[tuple[str, object]]:
        """Name and document of the system roles and policies of version 1.x."""
        for number in range(1, _PAGES):
            page = self._get("/v3/roles", {"page": str(number), "per_page": "300"})
            found = list(roles(page, f"{self._base}/v3/roles"))
            yield from found
            listed = page.get("roles") if isinstance(page, Mapping) else None
            if not isinstance(listed, list) or len(listed) < 300:
                return

    def identity_policies(self) -> Iterator[tuple[str, object]]:
        """Name and document of the system identity policies (5.0)."""
        for page, url in self._pages("/v5/policies", {"policy_type": "system"}):
            listed = page.get("policies")
            if not isinstance(listed, list):
                raise UsageError(texts.say("actions.odd-answer", url=url, key="policies"))
            for policy in listed:
                name, ident, version = (policy.get(k) for k in ("policy_name", "policy_id", "default_version_id"))
                path = f"/v5/policies/{quote(str(ident), safe='')}/versions/{quote(str(version), safe='')}"
                answer = self._get(path, {})
                entry = {"policy_name": name, **(answer if isinstance(answer, dict) else {})}
                yield from identity_policies({"policies": [entry]}, self._base + path)

    def _pages(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[tuple[Mapping[str, object], str]]:
        """The pages of a list, by `page_info.next_marker`."""
        marker, seen = "", set()
        while marker not in seen:
            seen.add(marker)
            asked = {**(query or {}), "limit": str(_PAGE), **({"marker": marker} if marker else {})}
            answer = self._get(path, asked)
            if not isinstance(answer, Mapping):
                raise UsageError(texts.say("actions.no-object", url=self._base + path))
            yield answer, self._base + path
            info = answer.get("page_info")
            marker = str(info.get("next_marker") or "") if isinstance(info, Mapping) else ""
            if not marker:
                return
        raise UsageError(texts.say("actions.endless", url=self._base + path))

    def _get(self, path: str, query: Mapping[str, str]) -> object:
        """The JSON of one answer; waits and tries again while IAM is busy."""
        import requests

        url = self._base + path
        problem, wait = "", 0.0
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(wait)
            wait = float(2**attempt)
            try:
                response = self._session.get(url, params=query, timeout=_TIMEOUT, allow_redirects=False)
            except requests.RequestException as error:
                problem = str(_explained(error) or error)
                continue
            if response.status_code not in _BUSY:
                return _json(response, url)
            problem = str(_explained(response) or f"HTTP {response.status_code}")
            wait = _retry_after(response) or wait
        raise UsageError(texts.say("actions.gave-up", url=url, n=_TRIES, problem=problem))


def _json(response: requests.Response, url: str) -> object:
    if response.status_code != 200:
        problem = str(_explained(response) or f"HTTP {response.status_code}")
        raise UsageError(texts.say("actions.refused", url=url, problem=problem))
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        kind = response.headers.get("Content-Type", "?")
        raise UsageError(texts.say("actions.broken", url=url, type=kind)) from None


def _explained(failed: object) -> object:
    from pytest_hwcloud import explain

    return explain(failed, texts.language())


def _retry_after(response: requests.Response) -> float | None:
    """The seconds that the answer asks to wait."""
    given = response.headers.get("Retry-After", "").strip()
    if given.isdigit():
        return min(float(given), _LONGEST)
    try:
        seconds = parsedate_to_datetime(given).timestamp() - time.time()
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), _LONGEST)


def roles(page: object, where: str) -> Iterator[tuple[str, object]]:
    """Name and document of the system roles in an answer of `GET /v3/roles`; those of an account are left out."""
    listed = page.get("roles") if isinstance(page, Mapping) else None
    if not isinstance(listed, list):
        raise UsageError(texts.say("actions.odd-answer", url=where, key="roles"))
    for role in listed:
        if not isinstance(role, Mapping):
            raise UsageError(texts.say("actions.odd-answer", url=where, key="roles"))
        name, document = role.get("display_name") or role.get("name"), role.get("policy")
        if role.get("domain_id") in (None, "") and isinstance(name, str) and isinstance(document, Mapping):
            yield name, document


def identity_policies(page: object, where: str) -> Iterator[tuple[str, object]]:
    """Name and document of identity policies: entries with `policy_name` and `policy_version.document`."""
    listed = page.get("policies") if isinstance(page, Mapping) else None
    if not isinstance(listed, list):
        raise UsageError(texts.say("actions.odd-answer", url=where, key="policies"))
    for policy in listed:
        version = policy.get("policy_version") if isinstance(policy, Mapping) else None
        name = policy.get("policy_name") if isinstance(policy, Mapping) else None
        text = version.get("document") if isinstance(version, Mapping) else None
        try:
            document = json.loads(text) if isinstance(text, str) else text
        except (ValueError, RecursionError):
            document = None
        if not isinstance(name, str) or not isinstance(document, Mapping):
            raise UsageError(texts.say("actions.odd-answer", url=where, key="policy_version.document"))
        yield name, document
