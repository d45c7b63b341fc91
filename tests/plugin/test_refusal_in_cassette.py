"""HWP013: a green test whose cassette holds a refusal that nobody asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from permission_project import HEAD, LIST, Run, answer, cassette, heads, section

ACTION = "ecs:cloudServers:list"
BODY = {"error": {"code": "Ecs.0110", "message": "do not have the required roles"}}
REFUSED = answer(LIST, 403, BODY)
MARKED = HEAD + (
    f'pytestmark = [pytest.mark.hwcloud_cassette("mine.yaml"), pytest.mark.requires_permission("{ACTION}")]\n\n'
)
SILENT = "def test_it(hwcloud):\n    assert get(hwcloud) is not None\n"
TEXT = """HWP013 refusal-in-cassette  ecs:cloudServers:list   cassette cassettes/mine.yaml
  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:10
  answer    403 Ecs.0110 do not have the required roles
  note      recorded, and test_it.py::test_it passes without a word about it
  fix       record the cassette again with a caller who may do this: cassettes/mine.yaml
            if the refusal is meant, say so: hwcloud.refused(…), \
or metadata: {expects: {code: Ecs.0110}} in the cassette"""


def test_a_silent_test_is_told(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "mine", REFUSED)
    result = run(MARKED + SILENT)
    result.assert_outcomes(passed=1)
    assert section(result) == TEXT


def test_it_fails_an_enforced_test(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "mine", REFUSED)
    result = run(MARKED + SILENT, "--hwcloud-permissions=enforce")
    result.assert_outcomes(failed=1)
    assert heads(result) == [f"HWP013 {ACTION}"]


ASKED = {
    "raises": "def test_it(hwcloud):\n    with pytest.raises(Exception, match='403'):\n"
    "        get(hwcloud).raise_for_status()\n",
    "refused": 'def test_it(hwcloud):\n    with hwcloud.refused("Ecs.0110"):\n        get(hwcloud)\n',
    "status": "def test_it(hwcloud):\n    assert get(hwcloud).status_code == 403\n",
    "code": 'def test_it(hwcloud):\n    assert get(hwcloud).json()["error"]["code"] == "Ecs.0110"\n',
    "not-ok": "def test_it(hwcloud):\n    assert not get(hwcloud).ok\n",
    "helper": "def is_it(answer):\n    return answer.status_code == 403\n\n"
    "def test_it(hwcloud):\n    assert is_it(get(hwcloud))\n",
    "fixture": "@pytest.fixture\ndef wanted():\n    return 403\n\n"
    "def test_it(hwcloud, wanted):\n    assert get(hwcloud).status_code == wanted\n",
    "name": "def test_denied(hwcloud):\n    assert get(hwcloud) is not None\n",
    "failed": "def test_it(hwcloud):\n    assert get(hwcloud).ok\n",
}


@pytest.mark.parametrize("body", ASKED.values(), ids=ASKED)
def test_what_the_test_asks_for_is_no_finding(run: Run, pytester: pytest.Pytester, body: str) -> None:
    cassette(pytester.path, "mine", REFUSED)
    assert heads(run(MARKED + body)) == []


def test_a_word_elsewhere_in_the_file_does_not_count(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "mine", REFUSED)
    other = "\n\ndef test_other(hwcloud):\n    assert get(hwcloud).status_code == 403\n"
    assert section(run(MARKED + SILENT + other)) == TEXT


def test_what_the_cassette_claims_is_no_finding(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "mine", REFUSED)
    file = Path("cassettes/mine.yaml")
    content = json.loads(file.read_text())
    content["metadata"]["expects"] = {"code": "Ecs.0110"}
    file.write_text(json.dumps(content))
    assert heads(run(MARKED + SILENT)) == []


def test_a_call_that_is_answered_at_last_is_no_finding(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "mine", REFUSED, answer(LIST))
    body = "def test_it(hwcloud):\n    get(hwcloud)\n    assert get(hwcloud).ok\n"
    assert heads(run(MARKED + body)) == []


def test_an_answer_of_the_service_is_no_refusal(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "mine", answer(LIST, 404, {"error": {"code": "Ecs.0114", "message": "no such server"}}))
    assert heads(run(MARKED + SILENT)) == []
