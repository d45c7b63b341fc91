"""Unused, unplayed and old cassettes: told when they are, and never because of -k, skips, node ids or workers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pytest_hwcloud.cassettes import library, saving
from pytest_hwcloud.cassettes.rendering import Entry, render
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cassettes.usage import Hygiene, age
from pytest_hwcloud.cloud.wire import Answer, Request

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/p/servers"


class Project:
    """A folder with two test modules, each with two tests that have a cassette of two interactions."""

    def __init__(self, root: Path) -> None:
        self.modules = [root / "test_a.py", root / "test_b.py"]
        self.cassettes: dict[str, Path] = {}
        for module in self.modules:
            module.write_text("")
            for test in ("test_one", "test_two"):
                path = library.own_cassette(module, test)
                self.write(path)
                self.cassettes[f"{module.name}::{test}"] = path

    def write(self, path: Path, when: datetime = NOW) -> None:
        answer = Answer(200, {}, b"{}")
        items = [render(Entry(request=Request("GET", f"{URL}?n={n}"), answer=answer, recorded_at=when)) for n in (1, 2)]
        saving.save(path, items)

    def collected(self, *arguments: str, hygiene: Hygiene | None = None) -> Hygiene:
        found = hygiene or Hygiene()
        for nodeid, path in self.cassettes.items():
            found.uses(nodeid, [path])
        found.collected(self.modules, arguments=arguments)
        return found

    def tape(self, nodeid: str, *played: int) -> Tape:
        tape = Tape.load(self.cassettes[nodeid])
        for number in played:
            assert tape.take(Request("GET", f"{URL}?n={number}"))
        return tape


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def texts(hygiene: Hygiene, **options: object) -> list[str]:
    return [one.text for one in hygiene.findings(now=NOW, **options)]  # type: ignore[arg-type]


def test_all_is_well(project: Project) -> None:
    assert texts(project.collected()) == []


def test_a_cassette_of_no_test(project: Project) -> None:
    for gone in ("cassettes/test_a/test_gone.yaml", "cassettes/test_deleted/test_x.yaml", "cassettes/shared.json"):
        project.write(Path(gone))
    assert texts(project.collected()) == [
        "cassettes/shared.json: no collected test uses it",
        "cassettes/test_a/test_gone.yaml: no collected test uses it",
        "cassettes/test_deleted/test_x.yaml: no collected test uses it",
    ]


def test_a_module_that_was_not_collected_is_not_judged(project: Project) -> None:
    project.write(Path("cassettes/test_a/test_gone.yaml"))
    project.write(Path("cassettes/shared.yaml"))
    hygiene = Hygiene()
    hygiene.uses("test_a.py::test_one", [project.cassettes["test_a.py::test_one"]])
    hygiene.uses("test_a.py::test_two", [project.cassettes["test_a.py::test_two"]])
    hygiene.collected([project.modules[0]], arguments=["test_a.py"])
    assert texts(hygiene) == ["cassettes/test_a/test_gone.yaml: no collected test uses it"]


def test_a_node_id_judges_nothing_of_its_module(project: Project) -> None:
    project.write(Path("cassettes/test_a/test_gone.yaml"))
    hygiene = Hygiene()
    hygiene.uses("test_a.py::test_one", [project.cassettes["test_a.py::test_one"]])
    hygiene.collected([project.modules[0]], arguments=["test_a.py::test_one"])
    assert texts(hygiene) == []


def test_cassettes_of_fixtures_belong_to_them(project: Project) -> None:
    for name in ("cassettes/conftest/network.yaml", "cassettes/test_a/vpc[0].yaml", "cassettes/conftest/old.yaml"):
        project.write(Path(name))
    hygiene = project.collected()
    hygiene.uses_fixtures(["network", "vpc", "tmp_path"])
    assert texts(hygiene) == ["cassettes/conftest/old.yaml: no collected test uses it"]


def test_unplayed_interactions(project: Project) -> None:
    hygiene = project.collected()
    hygiene.finished("test_a.py::test_one", True, [project.tape("test_a.py::test_one", 1)])
    hygiene.finished("test_a.py::test_two", True, [project.tape("test_a.py::test_two", 1, 2)])
    assert texts(hygiene) == [
        f"cassettes/test_a/test_one.yaml: 1 of 2 interactions were not asked for: GET {URL}?n=2 (interaction 2)"
    ]


def test_nothing_is_unplayed_where_a_test_failed_or_did_not_run(project: Project) -> None:
    hygiene = project.collected()
    hygiene.finished("test_a.py::test_one", False, [project.tape("test_a.py::test_one", 1)])
    hygiene.uses("test_b.py::test_skipped", [project.cassettes["test_b.py::test_one"]])
    hygiene.finished("test_b.py::test_one", True, [project.tape("test_b.py::test_one", 1)])
    assert texts(hygiene) == []


def test_tests_that_share_a_cassette_play_it_together(project: Project) -> None:
    shared = project.cassettes["test_a.py::test_one"]
    hygiene = project.collected()
    hygiene.uses("test_b.py::test_more", [shared])
    hygiene.finished("test_a.py::test_one", True, [project.tape("test_a.py::test_one", 1)])
    hygiene.finished("test_b.py::test_more", True, [project.tape("test_a.py::test_one", 2)])
    assert texts(hygiene) == []


def test_workers_together_say_what_one_process_says(project: Project) -> None:
    controller = Hygiene()
    for number, nodeid in enumerate(project.cassettes):
        worker = project.collected()
        worker.finished(nodeid, True, [project.tape(nodeid, 1, *([2] if number else []))])
        plain = worker.to_plain()
        assert json.loads(json.dumps(plain)) == plain  # nothing but plain data crosses
        controller.merge(plain)
    assert texts(controller) == [
        f"cassettes/test_a/test_one.yaml: 1 of 2 interactions were not asked for: GET {URL}?n=2 (interaction 2)"
    ]


def test_age_is_that_of_the_newest_interaction(project: Project) -> None:
    path = project.cassettes["test_a.py::test_one"]
    path.unlink()
    project.write(path, NOW - timedelta(days=200))
    assert age(path, NOW) == 200
    assert texts(project.collected(), max_age=90) == [
        "cassettes/test_a/test_one.yaml: recorded 200 days ago, more than 90; "
        "record it anew with --hwcloud-mode=record --hwcloud-record=all"
    ]
    project.write(path, NOW - timedelta(days=3))
    assert age(path, NOW) == 3
    assert texts(project.collected(), max_age=90) == []


def test_no_age_without_a_date(tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    path.write_text("interactions: []\n")
    assert age(path, NOW) is None
    assert age(tmp_path / "none.yaml", NOW) is None


def test_cassettes_of_others_are_none_of_ours(project: Project) -> None:
    folder = next(iter(project.cassettes.values())).parent
    entry = "- request: {method: GET, uri: 'URI', body: null, headers: {}}\n  response: null\n  fault: dns\n"
    for name, uri in (("foreign", "http://127.0.0.1/x"), ("cloud", URL)):
        (folder / f"{name}.yaml").write_text("interactions:\n" + entry.replace("URI", uri))
    (folder / "settings.yaml").write_text("a: 1\n")
    hygiene = project.collected()
    shown = "test_a/cloud.yaml: no collected test uses it"
    assert texts(hygiene) == [f"cassettes/{shown}"]
    hygiene.leaves([folder / "cloud.yaml"])  # that of a test that is no cloud test
    assert texts(hygiene) == []


def test_interactions_of_others_need_not_be_played(project: Project) -> None:
    path = project.cassettes["test_a.py::test_one"]
    other = Entry(request=Request("GET", "http://127.0.0.1/x"), answer=Answer(200, {}, b"{}"), recorded_at=NOW)
    saving.save(path, [render(other)])
    hygiene = project.collected()
    hygiene.finished("test_a.py::test_one", True, [project.tape("test_a.py::test_one", 1)])
    assert texts(hygiene) == [
        f"cassettes/test_a/test_one.yaml: 1 of 3 interactions were not asked for: GET {URL}?n=2 (interaction 2)"
    ]


def test_a_cassette_of_a_class_s_fixture_belongs_to_it(project: Project) -> None:
    folder = next(iter(project.cassettes.values())).parent
    project.write(folder / "TestA.servers[a].yaml")
    hygiene = project.collected()
    assert len(texts(hygiene)) == 1
    hygiene.uses_fixtures(["servers"])
    assert texts(hygiene) == []
