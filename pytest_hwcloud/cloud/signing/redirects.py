"""Where a redirect leads, by requests' own rules: credentials go along only where requests lets Authorization go."""

from __future__ import annotations

from urllib.parse import urljoin

from requests import Response
from requests.sessions import SessionRedirectMixin
from requests.utils import requote_uri

RULES = SessionRedirectMixin()


def target(response: Response) -> str | None:
    """The URL that requests goes to next, None if the answer is no redirect."""
    location = RULES.get_redirect_target(response)
    return urljoin(response.url, requote_uri(location)) if location else None


def leaves(origin: str | None, url: str) -> bool:
    """Whether credentials for the one URL must not be shown to the other."""
    return bool(RULES.should_strip_auth(origin or "", url))  # type: ignore[no-untyped-call]
