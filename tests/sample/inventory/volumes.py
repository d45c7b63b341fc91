"""The volumes of a project, asked for with plain requests."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import requests


def volumes(session: requests.Session, base: str) -> list[dict[str, Any]]:
    """All volumes. base: the endpoint with version and project, as https://evs.…/v2/0504…"""
    found: list[dict[str, Any]] = _patiently(session, f"{base}/cloudvolumes/detail").json()["volumes"]
    return found


def volume(session: requests.Session, base: str, volume_id: str) -> dict[str, Any]:
    """One volume."""
    found: dict[str, Any] = _patiently(session, f"{base}/cloudvolumes/{volume_id}").json()["volume"]
    return found


def unattached(session: requests.Session, base: str) -> list[str]:
    """The names of the volumes that cost money for nothing."""
    return sorted(one["name"] for one in volumes(session, base) if not one["attachments"])


def size_by_type(session: requests.Session, base: str) -> Counter[str]:
    """Volume type -> GB."""
    found: Counter[str] = Counter()
    for one in volumes(session, base):
        found[one["volume_type"]] += one["size"]
    return found


def _patiently(session: requests.Session, url: str) -> requests.Response:
    answer = session.get(url, timeout=30)
    if answer.status_code == 429:
        time.sleep(float(answer.headers.get("Retry-After", 0)))
        answer = session.get(url, timeout=30)
    answer.raise_for_status()
    return answer
