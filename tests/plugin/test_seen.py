"""A cloud test is seen wherever it becomes one, and goes by all its markers, whoever gave them to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CONFTEST = """
import pytest

MARK = pytest.mark.hwcloud_cassette("success/list-servers")

def pytest_itemcollected(item):
    if "itemcollected" in item.name:
        item.add_marker(MARK)

def pytest_collection_modifyitems(items):
    for item in items:
        if "modifyitems" in item.name:
            item.add_marker(MARK)

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if "setup" in item.name:
        item.add_marker(MARK)

def pytest_generate_tests(metafunc):
    if "generated" in metafunc.fixturenames:
        metafunc.parametrize("generated", [pytest.param(1, marks=MARK)])
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", ["hwcloud_session"])

@pytest.fixture
def marking(request):
    request.applymarker(MARK)

@pytest.fixture
def calling(marking):
    from test_it import servers
    return servers()
"""

SUITE = """
import unittest
import pytest, requests

URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"
MARK = pytest.mark.hwcloud_cassette("success/list-servers")

def servers():
    return requests.get(URL, headers={"X-Auth-Token": "of nobody"}).json()["count"]

def test_itemcollected():
    assert servers() == 8

def test_modifyitems():
    assert servers() == 8

def test_runtest_setup():
    assert servers() == 8

def test_generated(generated):
    assert servers() == 8

def test_name(name, request):
    session = request.getfixturevalue(name)
    assert type(session).__name__ == "CloudSession"
    assert session.get("https://iam.myhuaweicloud.com/v3/projects").status_code == 200

@pytest.mark.parametrize("x", [pytest.param(1, marks=MARK)])
def test_parametrized(x):
    assert servers() == 8

@MARK
class Base:
    def test_inherited(self):
        assert servers() == 8

class TestChild(Base):
    pass

class TestAttribute:
    pytestmark = [MARK]
    def test_it(self):
        assert servers() == 8

@MARK
class TestUnit(unittest.TestCase):
    def test_it(self):
        assert servers() == 8

class TestUnitWithFixture(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _session(self, hwcloud_session):
        self.session = hwcloud_session
    def test_it(self):
        assert self.session.get("https://iam.myhuaweicloud.com/v3/projects").status_code == 200

def test_marked_by_a_fixture(marking):
    assert servers() == 8

def test_marked_by_a_fixture_of_a_fixture_that_calls(calling):
    assert calling == 8

def test_a_cloud_test_gets_a_cassette_from_a_fixture(hwcloud, marking):
    assert servers() == 8
    assert hwcloud.exchanges[-1].source == "success/list-servers"

def test_left_alone():
    assert "pytest_hwcloud" not in type(requests.Session.request).__module__
    assert requests.Session.request.__module__ == "requests.sessions"
"""


@pytest.mark.parametrize("also", [False, True])
def test_wherever_it_becomes_one(run: Callable[..., pytest.RunResult], pytester: pytest.Pytester, also: bool) -> None:
    pytester.makeconftest(CONFTEST)
    if also:
        pytester.makeini("[pytest]\nusefixtures = hwcloud\n")
    run(SUITE.partition("def test_left_alone")[0] if also else SUITE).assert_outcomes(passed=13 + (not also))


def test_a_wrong_marker_of_a_fixture_fails_its_test(run: Callable[..., pytest.RunResult]) -> None:
    result = run("""
    import pytest

    @pytest.fixture
    def marking(request):
        request.applymarker(pytest.mark.hwcloud_cassette("success/list-server"))

    def test_it(marking):
        pass
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*unknown cassette 'success/list-server'; did you mean 'success/list-servers'?*"])


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        (
            "en",
            "@pytest.mark.hwcloud_cassette: given to the test while it ran, so its calls did not go by it. Put it "
            "above the test, add it in a hook, or in a fixture: request.applymarker(...)",
        ),
        (
            "zh",
            "@pytest.mark.hwcloud_cassette：在测试运行期间才添加，测试中的调用未受其影响。请写在测试上方，或在钩子、"
            "fixture 中添加：request.applymarker(...)",
        ),
    ],
)
@pytest.mark.parametrize("fixture", ["request", "request, hwcloud"])
def test_a_marker_that_comes_too_late_fails_its_test(
    run: Callable[..., pytest.RunResult], lang: str, text: str, fixture: str
) -> None:
    source = f"""
    import pytest

    def test_it({fixture}):
        request.node.add_marker(pytest.mark.hwcloud_cassette("success/list-servers"))
    """
    result = run(source, f"--hwcloud-lang={lang}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([text])


@pytest.mark.parametrize(
    ("options", "counts"),
    [((), {"passed": 1}), (("--hwcloud-permissions=enforce",), {"failed": 1})],
    ids=["report", "enforce"],
)
@pytest.mark.parametrize("fixtures", ["marking", "hwcloud, marking"])
def test_a_permission_that_a_fixture_asks_for_is_checked(
    run: Callable[..., pytest.RunResult], fixtures: str, options: tuple[str, ...], counts: dict[str, int]
) -> None:
    """The only one of its run: nothing was to be checked when the test began."""
    source = f"""
    import pytest

    @pytest.fixture
    def marking(request):
        request.applymarker(pytest.mark.requires_permission("ecs:cloudServers:list"))

    def test_it({fixtures}):
        pass
    """
    result = run(source, *options)
    result.assert_outcomes(**counts)
    result.stdout.fnmatch_lines(["*HWP003*"])
