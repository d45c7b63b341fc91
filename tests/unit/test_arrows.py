"""The rooms of the house: arrows point one way, no circles, and an idle run loads three modules of ours."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import pytest_hwcloud

PACKAGE = Path(pytest_hwcloud.__file__).parent
# From the ground up. A room imports from the floors below its own, and from rooms of its floor without a circle.
FLOORS = (
    ("files", "options", "rules", "texts"),
    ("cloud",),
    ("gates", "journal", "interceptors"),
    ("secrets", "usercode"),
    ("cassettes", "explanations", "permissions", "config"),
    ("replay", "gateway", "commands"),
    ("run",),
    ("plugin",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
APART = {"tour", "__init__", "__main__"}  # the tour is a suite of a user; the other two load on use
FOREIGN = {"cloud": {"pytest", "vcr", "socket", "_pytest"}, "gates": {"pytest", "vcr", "_pytest"}}
MOST = 20  # Python files in one folder


def module_of(file: Path) -> str:
    parts = (PACKAGE.name, *file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


FILES = {module_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(file: Path) -> Iterator[str]:
    """Every import of a file, wherever it stands: at load, in a function, for types only."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in FILES else node.module


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


ARROWS = {module: {name for name in imports(file) if name in FILES} - {module} for module, file in FILES.items()}


def reached(start: str) -> set[str]:
    seen: set[str] = set()
    todo = list(ARROWS[start])
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += ARROWS[module]
    return seen


def test_every_room_has_a_floor() -> None:
    assert {room_of(module) for module in FILES} - APART - set(FLOOR) == set()


@pytest.mark.parametrize("room", FLOOR)
def test_arrows_point_down(room: str) -> None:
    wrong = [
        f"{module} -> {name}"
        for module, names in ARROWS.items()
        if room_of(module) == room
        for name in sorted(names)
        if FLOOR.get(room_of(name), 0) > FLOOR[room]
    ]
    assert wrong == []


def test_no_file_stands_in_a_circle() -> None:
    assert [module for module in FILES if module in reached(module)] == []


def test_no_room_leads_back_to_itself() -> None:
    rooms: dict[str, set[str]] = {}
    for module, names in ARROWS.items():
        rooms.setdefault(room_of(module), set()).update(room_of(name) for name in names)
    for room in FLOOR:
        seen: set[str] = set()
        todo = list(rooms.get(room, set()) - {room})
        while todo:
            other = todo.pop()
            if other not in seen:
                seen.add(other)
                todo += rooms.get(other, set()) - {other}
        assert room not in seen


def test_no_folder_is_crowded() -> None:
    folders: dict[Path, int] = {}
    for file in FILES.values():
        folders[file.parent] = folders.get(file.parent, 0) + 1
    assert {str(folder): count for folder, count in folders.items() if count > MOST} == {}


@pytest.mark.parametrize("room", FOREIGN)
def test_what_the_cloud_is_knows_no_pytest_and_no_vcr(room: str) -> None:
    wrong = [
        f"{module}: {name}"
        for module, file in FILES.items()
        if room_of(module) == room
        for name in imports(file)
        if name.split(".")[0] in FOREIGN[room]
    ]
    assert wrong == []


# What users call or write, whose parameters are public: they stay, however many they are.
PUBLIC_SIGNATURES = {
    "pytest_hwcloud.cloud.signing.aksk.AkSkAuth.__init__",
    "pytest_hwcloud.cloud.signing.algorithms.sign",
    "pytest_hwcloud.run.markers._requires_permission",
}
DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef)


def functions(node: ast.AST, name: str) -> Iterator[tuple[str, list[str]]]:
    """Every function below a node, however deep, by its full name, and its parameters but self and cls."""
    for child in ast.iter_child_nodes(node):
        inner = f"{name}.{child.name}" if isinstance(child, (*DEFINED, ast.ClassDef)) else name
        if isinstance(child, DEFINED):
            given = child.args
            every = [*given.posonlyargs, *given.args, *filter(None, [given.vararg]), *given.kwonlyargs]
            found = [one.arg for one in [*every, *filter(None, [given.kwarg])]]
            yield inner, found[1:] if isinstance(node, ast.ClassDef) and found[:1] in (["self"], ["cls"]) else found
        yield from functions(child, inner)


def test_no_function_has_more_than_five_parameters() -> None:
    many = {
        name
        for module, file in FILES.items()
        for name, parameters in functions(tree(file), module)
        if len(parameters) > 5
    }
    assert many == PUBLIC_SIGNATURES


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(a, b, /, c, *d, e, **f): ...", ["a", "b", "c", "d", "e", "f"]),
        ("class A:\n  async def f(self, *, b): ...", ["b"]),
        ("if x:\n  def f(self, a): ...", ["self", "a"]),
    ],
)
def test_what_counts_as_a_parameter(source: str, found: list[str]) -> None:
    assert [parameters for _, parameters in functions(ast.parse(source), "m")] == [found]


# mend: correct; told: reported, shown; anew: again; nobody: not, unknown; of its own: its own, separate.
PLAIN = re.compile(r"\b(?:mend(?:s|ed|ing)?|told|anew|nobody|of its own)\b", re.IGNORECASE)


def remarks(file: Path) -> Iterator[str]:
    """The docstrings of a file and its comments."""
    for node in ast.walk(tree(file)):
        if isinstance(node, (*DEFINED, ast.ClassDef, ast.Module)):
            yield ast.get_docstring(node) or ""
    yield from (line.partition("# ")[2] for line in file.read_text(encoding="utf-8").splitlines() if "# " in line)


def test_docstrings_and_comments_are_plain_technical_english() -> None:
    found = [
        f"{module}: {remark[:200]}"
        for module, file in FILES.items()
        for remark in remarks(file)
        if PLAIN.search(remark)
    ]
    assert found == []


PROBE = """
import sys, pytest
before = set(sys.modules)
code = pytest.main(["-q", "-p", "hwcloud", "-p", "no:cacheprovider", "test_plain.py"])
ours = sorted(name for name in sys.modules if name.split(".")[0] == "pytest_hwcloud")
foreign = sorted({"requests", "vcr", "yaml", "urllib3"} & {name.split(".")[0] for name in set(sys.modules) - before})
print("LOADED", int(code), ours, foreign)
"""


def test_a_run_without_cloud_tests_loads_three_modules_of_ours_and_none_of_others(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text("def test_plain():\n    assert True\n")
    (tmp_path / "probe.py").write_text(PROBE)
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "/usr/bin:/bin"}
    found = subprocess.run(
        [sys.executable, "probe.py"], cwd=tmp_path, capture_output=True, text=True, env=environment, check=True
    )
    wanted = "LOADED 0 ['pytest_hwcloud', 'pytest_hwcloud.options', 'pytest_hwcloud.plugin'] []"
    assert found.stdout.splitlines()[-1] == wanted


GREEN = """
import sys
def pytest_unconfigure(config):
    names = [name.removeprefix("pytest_hwcloud.") for name in sys.modules]
    heavy = ("explanations.", "permissions", "commands", "gateway", "cloud.failures", "cloud.calls.", "cloud.policies.")
    ours = sorted(n for n in names if n.startswith(heavy) and n != "explanations.reporting")
    others = sorted({"yaml", "asyncio", "vcr", "httpx", "aiohttp", "sysconfig"} & {n.split(".")[0] for n in names})
    print("LOADED", ours, others)
"""


def test_a_green_replayed_test_loads_no_yaml_no_asyncio_and_no_explanation(tmp_path: Path) -> None:
    (tmp_path / "test_cloud.py").write_text(
        "import pytest\n"
        "@pytest.mark.hwcloud_cassette('success/list-servers')\n"
        "def test_cloud(hwcloud, hwcloud_session):\n"
        "    url = hwcloud.url('ecs', '/v1/{project_id}/cloudservers/detail')\n"
        "    assert hwcloud_session.get(url).status_code == 200\n"
    )
    (tmp_path / "conftest.py").write_text(GREEN)
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "hwcloud"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "/usr/bin:/bin"},
        check=True,
    )
    assert "1 passed" in found.stdout
    assert found.stdout.splitlines()[-1] == "LOADED [] []"
