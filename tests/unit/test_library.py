"""Names and places of cassettes."""

import pytest

from pytest_hwcloud.cassettes import library
from pytest_hwcloud.cassettes.tape import CassetteError
from pytest_hwcloud.cloud.identity import UnknownName

SHIPPED = [
    "authentication/access-key-unknown",
    "authentication/signature-mismatch",
    "authentication/token-missing",
    "authentication/token-undecryptable",
    "authorization/aksk-without-permission",
    "authorization/token-older-than-grant",
    "authorization/token-without-permission",
    "network/dns-failure",
    "scope/domain-token-on-global-service",
    "scope/domain-token-on-regional-service",
    "scope/project-token-other-project",
    "success/aksk-any-scope",
    "success/list-servers",
]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "cassettes"
    (made / "test_x").mkdir(parents=True)
    (made / "test_x" / "own.yaml").write_text("")
    (tmp_path / "outside.yaml").write_text("")
    return made


def test_the_library_has_the_documented_cases():
    assert list(library.names()) == SHIPPED
    assert library.name_of(library.shipped("success/list-servers")) == "success/list-servers"
    assert library.shipped("success/other") is None


def test_a_name_is_a_shipped_cassette_or_a_path_in_the_folder_of_the_test(folder):
    assert library.find("network/dns-failure", folder) == library.root() / "network" / "dns-failure.yaml"
    assert library.find("test_x/own", folder) == library.find("test_x/own.yaml", folder) == folder / "test_x/own.yaml"
    assert library.name_of(folder / "test_x/own.yaml") is None


@pytest.mark.parametrize(
    ("name", "nearest"), [("sucess/list-server", "success/list-servers"), ("test_x/ownn.yaml", "test_x/own.yaml")]
)
def test_an_unknown_name_is_told_with_the_nearest(folder, name, nearest):
    with pytest.raises(UnknownName) as caught:
        library.find(name, folder)
    hint = f"(shipped, or files under {folder})"
    assert str(caught.value) == f"unknown cassette {name!r}; did you mean {nearest!r}? {hint}"


@pytest.mark.parametrize(
    "name", ["../outside.yaml", "test_x/../../outside", "..\\outside.yaml", "/etc/passwd", "link.yaml"]
)
def test_a_path_that_leads_out_of_the_folder_is_refused(folder, name):
    (folder / "link.yaml").symlink_to(folder.parent / "outside.yaml")
    with pytest.raises(CassetteError) as caught:
        library.find(name, folder)
    assert str(caught.value) == f"{folder}: the path {name!r} leads out of the cassette folder"


@pytest.mark.parametrize("name", ["", "  ", "a\0b"])
def test_an_empty_name_is_refused(folder, name):
    with pytest.raises(CassetteError, match="is no name of a cassette"):
        library.find(name, folder)


def own(name, tmp_path):
    return library.own_cassette(tmp_path / "tests" / "test_x.py", name)


def test_a_test_s_own_cassette_lies_beside_its_file(tmp_path):
    assert own("test_y", tmp_path) == tmp_path / "tests" / "cassettes" / "test_x" / "test_y.yaml"
    assert library.own_cassette(tmp_path / "t.py", "test_y", "/else") == library.Path("/else/t/test_y.yaml")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("TestA::test_y", "TestA.test_y"),
        ("test_y[cn-north-4]", "test_y[cn-north-4]"),
        ("test_y[查询]", "test_y[查询]"),
        ("test_y[a/b]", "test_y[a-b]-76a67a5a"),
        ("test_y[a:b]", "test_y[a-b]-"),
        ("test_y[..]", "test_y[..]"),
        ("test_y[" + "x" * 300 + "]", "test_y[" + "x" * 94 + "-"),
    ],
)
def test_the_name_is_the_test_s_own_where_a_file_can_have_it(tmp_path, name, stem):
    found = own(name, tmp_path).stem
    assert found == stem if not stem.endswith("-") and "/" not in name else found.startswith(stem.rpartition("-")[0])
    assert len(found.encode()) <= 110


def test_two_tests_never_share_a_file(tmp_path):
    names = [
        "test_y[a/b]", "test_y[a:b]", "test_y[a-b]", "test_y[a::b]", "test_y[a.b]", "A::test_y", "A::B::test_y",
        "test_y[a b]", "test_y[a  b]", "test_y[]", "test_y", "test_y.", "test_y[" + "x" * 200 + "]",
        "test_y[" + "x" * 201 + "]", "test_y[\udc80]", "test_y[a\nb]",
    ]  # fmt: skip
    assert len({own(name, tmp_path) for name in names}) == len(names)
    assert all(own(name, tmp_path).parent.name == "test_x" for name in names)


def test_one_folder_for_all_keeps_test_files_of_the_same_name_apart(tmp_path):
    def own(file, folder):
        return library.own_cassette(tmp_path / file, "test_y", str(folder), tmp_path)

    assert own("a/test_x.py", tmp_path / "all") == tmp_path / "all" / "a" / "test_x" / "test_y.yaml"
    assert own("b/test_x.py", tmp_path / "all") == tmp_path / "all" / "b" / "test_x" / "test_y.yaml"
    assert own("test_x.py", tmp_path / "all") == tmp_path / "all" / "test_x" / "test_y.yaml"
    assert own("a/test_x.py", "beside") == tmp_path / "a" / "beside" / "test_x" / "test_y.yaml"


def test_a_new_cassette(folder):
    assert library.new("servers", folder) == folder / "servers.yaml"
    assert library.new("team/servers.yml", folder) == folder / "team" / "servers.yml"
    assert library.new("authentication/token-mising", folder) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("../out.yaml", "{}: the path '../out.yaml' leads out of the cassette folder"),
        ("x.json", "{}/x.json: recordings are written as YAML: call it x.yaml"),
    ],
)
def test_a_new_cassette_that_cannot_be(folder, name, text):
    with pytest.raises(CassetteError) as refused:
        library.new(name, folder)
    assert str(refused.value) == text.format(folder)
