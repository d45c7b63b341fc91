"""No secret of any kind, in any encoding and any place of a call, is in any file below a project that recorded it.

A suite of a user runs in pytest against the loopback cloud, with real keys; every file is read afterwards, caches and
JUnit included. The suite reads the secrets from outside of the project, so that none is there to begin with.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from loopback.cloud import REAL, Cloud
from loopback.conftest import secrets_of
from secret_cases import ACCESS_KEY, CASES, HOOK, LETTERS, SECRET, TOKEN, clean_forms

from pytest_hwcloud.cassettes.request_key import digest
from pytest_hwcloud.cassettes.tape import Tape

SECRETS = (SECRET, TOKEN, HOOK, LETTERS, ACCESS_KEY)

LAYERS: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: quote(text, safe=""),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: json.dumps({"a": json.dumps({"b": text})}),
    lambda text: base64.b64encode(gzip.compress(text.encode())).decode(),
)
SUITE = """
import json, os, pathlib
import pytest

CASES = json.loads(pathlib.Path(os.environ["CASES_OUTSIDE"]).read_text())

@pytest.fixture
def url(hwcloud):
    return hwcloud.url("ecs", "/v1/{project_id}/echo/")

@pytest.mark.parametrize("number", range(len(CASES)))
def test_call(url, hwcloud_session, number):
    for text in CASES[number][::2]:
        hwcloud_session.post(url + "raw", data=text.encode(), headers={"Content-Type": "text/plain"})
        hwcloud_session.get(url + "query", params={"note": text})
    for text in CASES[number]:
        hwcloud_session.post(url + "json", json={"note": text, "list": [text]})
"""


@pytest.fixture
def own_cloud(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("own-cloud")) as cloud:
        cloud.reachable(monkeypatch)
        yield cloud


def echoing(cloud: Cloud) -> None:
    """Whatever is sent comes back, in a body and in a header."""
    for name in ("json", "raw"):
        cloud.answers[f"POST /v1/{{id}}/echo/{name}"] = lambda request: (
            200,
            request.body,
            {
                "Content-Type": request.headers.get("content-type", ""),
                "Location": f"https://x/y?next={quote(request.body)}",
            },
        )
    cloud.answers["GET /v1/{id}/echo/query"] = lambda request: (
        200,
        {"asked": unquote(request.url.partition("=")[2])},
        {},
    )


def opened(text: str) -> set[str]:
    """Every layer of a text, without any code of the package."""
    seen: set[str] = set()
    layers = {text}
    for _ in range(4):
        grown = set()
        for layer in layers - seen:
            seen.add(layer)
            grown |= {unquote(layer), html.unescape(layer)}
            grown.add(layer.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", "\n"))
            for run in re.findall(r"[A-Za-z0-9+/]{12,}={0,2}", layer):
                try:
                    raw = base64.b64decode(run + "=" * (-len(run) % 4))
                    grown.add((gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode())
                except (ValueError, OSError, EOFError):
                    continue
        layers = grown
    return seen


def files_of(pytester: pytest.Pytester) -> dict[str, str]:
    found = (path for path in Path(pytester.path).rglob("*") if path.is_file())
    return {path.relative_to(pytester.path).as_posix(): path.read_bytes().decode("latin-1") for path in found}


def record(
    pytester: pytest.Pytester, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, outside: Path, cases: list[list[str]]
) -> pytest.RunResult:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    outside.write_text(json.dumps(cases))
    monkeypatch.setenv("CASES_OUTSIDE", str(outside))
    echoing(cloud)
    cloud.give_credentials(monkeypatch)
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(test_suite=SUITE)
    return pytester.runpytest_inprocess("-p", "hwcloud", "--hwcloud-mode=record", "--junitxml=junit.xml", "-q")


def test_no_kind_in_no_encoding_is_in_any_file(
    pytester: pytest.Pytester,
    own_cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    pairs = [[text, LAYERS[number % (len(LAYERS) - 1) + 1](text)] for number, text in enumerate(CASES.values())]
    kinds = [[*one, *other] for one, other in zip(pairs[::2], pairs[1::2], strict=False)]
    assert len(kinds) == len(pairs) // 2
    result = record(pytester, own_cloud, monkeypatch, tmp_path_factory.mktemp("outside") / "cases.json", kinds)
    result.assert_outcomes(passed=len(kinds))
    found = files_of(pytester)
    assert sum(name.endswith(".yaml") for name in found) == len(kinds)
    keys = [secret for secret in secrets_of(REAL) if secret != REAL.user]
    leaks = [
        (name, secret)
        for name, text in found.items()
        for layer in opened(text)
        for secret in (*SECRETS, *keys)
        if secret in layer
    ]
    assert leaks == []


def test_clean_answers_are_recorded_as_they_came(
    pytester: pytest.Pytester,
    own_cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    forms = list(clean_forms().values())
    result = record(
        pytester, own_cloud, monkeypatch, tmp_path_factory.mktemp("outside") / "cases.json", [[text] for text in forms]
    )
    result.assert_outcomes(passed=len(forms))
    for number, text in enumerate(forms):
        tape = Tape.load(Path(pytester.path) / "cassettes" / "test_suite" / f"test_call[{number}].yaml")
        answers = [tape[at].answer for at in range(len(tape)) if tape[at].uri.endswith("/raw")]
        assert [digest(answer.body) for answer in answers if answer] == [digest(text.encode())]  # JSON is laid out
