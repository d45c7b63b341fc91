"""One line on what there is, with a token of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from requests.auth import AuthBase


def summary(auth: AuthBase, base: str) -> str:
    """`8 servers, 1 of them stopped`. base: https://ecs.…/v1/0504…"""
    answer = requests.get(f"{base}/cloudservers/detail", auth=auth, timeout=30)
    answer.raise_for_status()
    servers = answer.json()["servers"]
    stopped = [server for server in servers if server["status"] == "SHUTOFF"]
    return f"{len(servers)} servers, {len(stopped)} of them stopped"
