"""The parsed form beside pytest's cache: used while it is right, forgotten in silence when it is not."""

import json
import os

import pytest
import yaml
from replaying import LIST, entry

from pytest_hwcloud.cassettes import parsed_cache
from pytest_hwcloud.cassettes import tape as tapes
from pytest_hwcloud.cassettes.tape import Tape, read_cassette
from pytest_hwcloud.cloud.wire import Request

BIG = "xxxx y" * 7_000  # small cassettes are not worth a cache
OLD = 1_600_000_000


@pytest.fixture(params=["yaml", "plain"])
def file(tmp_path, request):
    path = tmp_path / "c.yaml"
    text = yaml.dump({"metadata": {"made": "here"}, "interactions": [entry(body=BIG), entry(body="2")]})
    entries = "".join(
        f"- request:\n    method: GET\n    uri: {LIST}\n  response:\n    status:\n      code: 200\n"
        f"    body:\n      string: |-\n        {body}\n"
        for body in (BIG, "2")
    )
    plain = f"metadata:\n  made: here\ninteractions:\n{entries}"
    path.write_text(text if request.param == "yaml" else plain)
    os.utime(path, (OLD, OLD))
    assert read_cassette(path.read_bytes(), path).plain is (request.param == "plain")
    return path


def load(file, cache_dir):
    tapes.drop_memory()
    return Tape.load(file, cache_dir)


def answers(made):
    return [made.take(Request("GET", LIST)).answer.body for _ in range(2)]


def cached(tmp_path, file):
    return parsed_cache.place(tmp_path / "cache", file)


def test_a_second_load_reads_the_cache_and_answers_the_same(tmp_path, file, monkeypatch):
    first = load(file, tmp_path / "cache")
    monkeypatch.setattr(tapes, "read_cassette", lambda *_: pytest.fail("parsed again"))
    second = load(file, tmp_path / "cache")
    assert answers(first) == answers(second) == [BIG.encode(), b"2"]
    assert second.metadata == {"made": "here"}
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [cached(tmp_path, file).name]
    json.loads(cached(tmp_path, file).read_bytes().splitlines()[0])


def test_a_touched_file_with_the_same_content_is_not_parsed_again(tmp_path, file, monkeypatch):
    load(file, tmp_path / "cache")
    os.utime(file, (OLD + 9, OLD + 9))
    monkeypatch.setattr(tapes, "read_cassette", lambda *_: pytest.fail("parsed again"))
    assert answers(load(file, tmp_path / "cache"))[1] == b"2"
    about = json.loads(cached(tmp_path, file).read_bytes().splitlines()[0])
    assert about["mtime_ns"] == (OLD + 9) * 10**9  # the next look need not read the file


def test_a_change_within_the_same_size_and_time_is_noticed_while_the_file_is_young(tmp_path, file):
    os.utime(file)
    stat = file.stat()
    load(file, tmp_path / "cache")
    file.write_bytes(file.read_bytes().replace(b"xxxx", b"yyyy", 1))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert answers(load(file, tmp_path / "cache"))[0].startswith(b"yyyy")


@pytest.mark.parametrize("damage", [b"", b"{}", b"not json\nat all", b'{"format": 2}\n{}', "cut", "flip"])
def test_a_damaged_cache_is_read_over_in_silence(tmp_path, file, damage):
    load(file, tmp_path / "cache")
    place = cached(tmp_path, file)
    whole = place.read_bytes()
    place.write_bytes({"cut": whole[:-7], "flip": whole[:-7] + b"#" + whole[-6:]}.get(damage, damage))
    assert answers(load(file, tmp_path / "cache")) == [BIG.encode(), b"2"]
    assert place.read_bytes()[:10] == whole[:10]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, file):
    (tmp_path / "cache").write_text("a file, not a folder")
    assert answers(load(file, tmp_path / "cache"))[1] == b"2"


def test_a_broken_off_write_leaves_the_old_cache_and_nothing_else(tmp_path, file, monkeypatch):
    load(file, tmp_path / "cache")
    before = cached(tmp_path, file).read_bytes()
    file.write_bytes(file.read_bytes() + b"\n")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert answers(load(file, tmp_path / "cache"))[1] == b"2"
    assert [p.read_bytes() for p in (tmp_path / "cache").iterdir()] == [before]


def test_small_cassettes_are_not_cached(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.dump({"interactions": [entry()]}))
    load(path, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
