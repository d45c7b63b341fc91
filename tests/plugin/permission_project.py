"""A scratch project for the tests of the permission checks: cassettes, policies, and what the terminal says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]
PROJECT = "05041fffa40025702f6dc009cc6f8f33"
ECS = "https://ecs.cn-north-4.myhuaweicloud.com"
LIST = "/v1/{project_id}/cloudservers/detail"
HEAD = """# the tests of a user
import pytest

LIST = "/v1/{project_id}/cloudservers/detail"
SHOW = "/v1/{project_id}/cloudservers/1ab"
NOVA = "/v2.1/{project_id}/servers/detail"


def get(hwcloud, path=LIST, **given):
    return hwcloud.session(**given).get(hwcloud.url("ecs", path))

"""


def answer(path: str = LIST, status: int = 200, body: object = None, *, method: str = "GET", base: str = ECS):
    """One recorded interaction."""
    text = json.dumps({"servers": []} if body is None else body)
    return {
        "request": {
            "method": method,
            "uri": base + path.replace("{project_id}", PROJECT),
            "body": None,
            "headers": {},
        },
        "response": {
            "status": {"code": status, "message": "OK"},
            "headers": {"Content-Type": ["application/json"]},
            "body": {"string": text},
        },
    }


def cassette(folder: Path, name: str, *answers: Mapping[str, object]) -> None:
    """A cassette of the project, for the marker hwcloud_cassette(name)."""
    file = folder / "cassettes" / f"{name}.yaml"
    file.parent.mkdir(exist_ok=True)
    content = {"version": 1, "metadata": {"repeat_last": True}, "interactions": list(answers)}
    file.write_text(json.dumps(content), encoding="utf-8")


def policy(folder: Path, name: str, *statements: tuple[str, ...] | Mapping[str, object]) -> str:
    """A policy file; ("ecs:*:list*",) is a statement that allows, a mapping is a statement as it stands."""
    rows = [{"Effect": "Allow", "Action": list(row)} if isinstance(row, tuple) else dict(row) for row in statements]
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"Version": "1.1", "Statement": rows}), encoding="utf-8")
    return name


def section(result: pytest.RunResult) -> str:
    """What stands under the title `hwcloud permissions`; nothing if there is none."""
    found = re.search(
        r"^=+ hwcloud permissions =+\n(.*?)(?=^=|^\d+ (?:passed|failed))", result.stdout.str(), re.M | re.S
    )
    told = found[1].rstrip("\n") if found else ""
    return re.sub(r"(?:^|\n+)calls: .*$", "", told)  # how many calls were judged: test_unjudged_calls.py


def rules(result: pytest.RunResult) -> list[str]:
    """The rules and actions of the section's heads."""
    return re.findall(r"^(HWP\d+) [\w-]+(?:  (\S+))?", section(result), re.M)


def heads(result: pytest.RunResult) -> list[str]:
    """`HWP003 ecs:servers:list` of each head in the section."""
    return [" ".join(filter(None, pair)) for pair in rules(result)]
