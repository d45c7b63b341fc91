"""10. Large runs: is the work linear in their size, and what does it cost in memory? And the scrubber over sizes.

record     calls that one test records, from the first byte heard to the cassette on the disk
scan       `pytest-hwcloud cassettes scan` over a folder of cassettes
lock       a lock of so many tests: written, and compared with a run
report     the four reports of a run of so many tests
prove      a suite under `--hwcloud-prove=all`: each test is run again with its permission taken away

Each job runs in a process of its own at a quarter, a half and the whole of its size. Growth is what the second half
costs for each item, over what the second quarter cost: 1 is linear, 2 is the square.

page       the html report of 1,000 tests with 40 actions: the time to write it, and what Chromium computes to show it
           and to filter it by a word (if there is a Chromium; the goal is under a second for each)
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from common import finish, machine, parser, pytest_env, run_process, sig, spread, table, versions, workdir

URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers"
SIZES = {"record": 1000, "scan": 10_000, "lock": 10_000, "report": 10_000, "prove": 1000}
BODIES = (1_000, 10_000, 100_000, 1_000_000)


def server(i: int) -> dict[str, object]:
    return {"id": f"{i:08x}-9a4b-4b2b-b3a5-3b6a0c9d7f11", "name": f"server-{i}", "status": "ACTIVE", "flavor": "s6"}


def record(folder: Path, size: int) -> None:
    from pytest_hwcloud.cloud.identity import default_identity
    from pytest_hwcloud.cloud.wire import Request, json_answer
    from pytest_hwcloud.replay.identity_mapping import IdentityMapping
    from pytest_hwcloud.replay.recorder import Recorder

    who = {"default": default_identity()}
    recorder = Recorder(folder / "recorded.yaml", IdentityMapping(who, who))
    for i in range(size):
        request = Request("GET", f"{URL}/{i:08x}", {"accept": "application/json"})
        if recorder.answer(request) is None:
            recorder.heard(request, json_answer(200, {"server": server(i)}), time.time())
    recorder.commit(keep=True)


def make_cassettes(folder: Path, size: int) -> None:
    from hwcloud_adapter import entry, write

    for i in range(size):
        answer = {"status": 200, "reason": "OK", "headers": {"Content-Type": "application/json"}}
        answer["body"] = json.dumps({"server": server(i)})
        write(folder / f"module{i // 100:03d}" / f"test_{i}.yaml", [entry(f"{URL}/{i:08x}", {}, answer)])


def scan(folder: Path, size: int) -> None:
    from pytest_hwcloud.commands import cli

    if cli.run(["cassettes", "scan", str(folder)]) != 0:
        raise SystemExit("a made cassette was found guilty")


def ledger(size: int):
    from pytest_hwcloud.permissions.ledger import Ledger
    from pytest_hwcloud.permissions.record import TestRecord, Use

    def use(i: int, action: str, call: str) -> Use:
        where = f"tests/test_m{i // 100:03d}.py:{i % 100 + 1}"
        return Use(action=action, call=call, identity="default", where=where, verdict="allow")

    records = []
    for i in range(size):
        uses = [
            use(i, "ecs:cloudServers:list", "GET ecs /v1/{project_id}/cloudservers/detail"),
            use(i, "ecs:cloudServers:showServer", "GET ecs /v1/{project_id}/cloudservers/{server_id}"),
        ]
        nodeid = f"tests/test_m{i // 100:03d}.py::test_{i}"
        records.append(TestRecord(nodeid=nodeid, place="tests/x.py:1", identity="default", outcome="passed", uses=uses))
    return Ledger(records, complete=True)


def world(folder: Path, **more: object):
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.options import Settings

    settings = Settings(lockfile=folder / "hwcloud-permissions.yaml", root=folder, **more)  # type: ignore[arg-type]
    return settings, CloudState(region="cn-north-4")


def lock(folder: Path, size: int) -> None:
    from pytest_hwcloud.permissions.lock import lockfile

    settings, state = world(folder)
    lockfile.update(ledger(size), state, settings)
    if lockfile.check(ledger(size), state, settings, "accept", []):
        raise SystemExit("the same run differs from its lock")


def report(folder: Path, size: int) -> None:
    from pytest_hwcloud.permissions import reports
    from pytest_hwcloud.secrets.known_secrets import Secrets

    files = tuple((kind, folder / f"report.{kind}") for kind in ("json", "sarif", "md", "html"))
    settings, state = world(folder, reports=files)
    if len(reports.write_reports(settings, ledger(size), state, Secrets().masked)) != len(files):
        raise SystemExit("a report is missing")


def make_suite(folder: Path, size: int) -> None:
    """Tests that each notice when their permission is taken away."""
    detail = f"{URL}/detail"
    from hwcloud_adapter import entry, write

    answer = {"status": 200, "reason": "OK", "headers": {"Content-Type": "application/json"}, "body": '{"count": 1}'}
    write(folder / "cassettes" / "list.yaml", [entry(detail, {}, answer)], repeat=True)
    for start in range(0, size, 100):
        tests = [
            f"@pytest.mark.hwcloud_cassette('list')\n@pytest.mark.requires_permission('ecs:cloudServers:list')\n"
            f"def test_{i}(hwcloud_session):\n    assert hwcloud_session.get({detail!r}).json()['count'] == 1\n"
            for i in range(start, min(size, start + 100))
        ]
        (folder / f"test_m{start // 100:03d}.py").write_text("import pytest\n\n\n" + "\n\n".join(tests))
    (folder / "pytest.ini").write_text("[pytest]\n")


JOBS = {"record": record, "scan": scan, "lock": lock, "report": report}
MAKERS = {"scan": make_cassettes, "prove": make_suite}


def measured(name: str, folder: Path, size: int) -> dict[str, float]:
    work = folder / f"{name}-{size}"
    if not work.exists():
        work.mkdir()
        if name in MAKERS:
            MAKERS[name](work, size)
    if name == "prove":
        argv = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "hwcloud", "--hwcloud-prove=all"]
        return run_process([sys.executable, *argv], cwd=work, env=pytest_env(), must_print=f"{size} passed")
    for left in () if name in MAKERS else work.iterdir():
        left.unlink()
    argv = [__file__, "--job", name, str(size), str(work)]
    return run_process([sys.executable, *argv], env=pytest_env())


def scrubbed(quick: bool) -> list[list[object]]:
    """The scrubber over bodies of JSON of several sizes, each of texts it never saw and then once more."""
    from pytest_hwcloud.cloud.wire import json_answer
    from pytest_hwcloud.secrets.scrubber import Scrubber

    rows: list[list[object]] = []
    for size in BODIES[:2] if quick else BODIES:
        first, again = [], []
        for turn in range(3 if size > 100_000 else 9):
            servers = [server(turn * 100_000 + i) for i in range(size // 100)]
            answer, scrubber = json_answer(200, {"servers": servers}), Scrubber()
            for taken in (first, again):
                start = time.thread_time()
                scrubber.answer(answer, "GET")
                taken.append((time.thread_time() - start) / len(answer.body) * 1e9)
        rows.append([f"{size:,}", spread(first), spread(again)])
    return rows


def page(folder: Path, quick: bool) -> list[list[object]]:
    """Seconds of the html report: written, shown and filtered by a browser; what the page's own thread computes."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
    from browser import CHROMIUM, browser

    from pytest_hwcloud.permissions.ledger import Ledger
    from pytest_hwcloud.permissions.record import TestRecord, Use
    from pytest_hwcloud.permissions.reports import html
    from pytest_hwcloud.permissions.reports.overview import overview

    size = 50 if quick else 1000
    rows = []
    for i in range(size):
        uses = [Use(action=f"ecs:type{(i + k) % 40}:list", call="GET ecs /v1", verdict="allow") for k in range(4)]
        rows.append(TestRecord(nodeid=f"tests/test_{i // 20}.py::test_{i}", identity="default", uses=uses))
    settings, state = world(folder)
    start = time.thread_time()
    text = html.render(overview(settings, Ledger(rows, complete=True), state))
    written = time.thread_time() - start
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    if CHROMIUM is None:
        return [[f"{size:,}", sig(written), "no Chromium", "no Chromium", sig(len(text) / 1e6)]]
    with browser(folder) as tab:
        tab.size(1200)
        before = tab.busy()
        tab.open(file)
        tab.run("document.body.offsetHeight")
        shown = tab.busy()
        tab.run("document.querySelector('input[type=search]').focus()")
        tab.send("Input.insertText", text="test_7")
        tab.run("new Promise((done) => setTimeout(() => done(document.body.offsetHeight), 300))")
        filtered = tab.busy()
    return [[f"{size:,}", sig(written), sig(shown - before), sig(filtered - shown), sig(len(text) / 1e6)]]


def main() -> None:
    if sys.argv[1:2] == ["--job"]:
        _, _, name, size, folder = sys.argv
        JOBS[name](Path(folder), int(size))
        return
    ap = parser(__doc__, "bench10_scale")
    args = ap.parse_args()
    rounds = 1 if args.quick else args.rounds or 2
    rows, data = [], {"machine": machine(), "versions": versions("pytest", "pytest-hwcloud")}
    with workdir("scale") as folder:
        for name, whole in SIZES.items():
            top = max(8, whole // 100) if args.quick else whole
            sizes = (top // 4, top // 2, top)
            found = {size: [measured(name, folder, size) for _ in range(rounds)] for size in sizes}
            data[name] = {str(size): [{k: one[k] for k in ("cpu", "rss_mb")} for one in found[size]] for size in sizes}
            quarter, half, full = (min(one["cpu"] for one in found[size]) for size in sizes)
            growth = (full - half) / (half - quarter) / 2 if half > quarter else float("nan")
            memory = [max(one["rss_mb"] for one in found[size]) for size in sizes]
            each = (full - quarter) / (top - top // 4) * 1e6
            rows.append([name, f"{top:,}", sig(full), sig(each), sig(growth), *map(sig, memory)])
            print(f"  {name} done", file=sys.stderr, flush=True)
        data["page"] = seen = page(folder, args.quick)
    data["scrubber"] = cleaned = scrubbed(args.quick)
    out = [
        "### 10. Large runs",
        "",
        f"Whole processes, CPU, {rounds} rounds, the smallest figure. Each: for one item more. Growth: 1 is linear.",
        "",
        table(["work", "items", "CPU s", "us each", "growth", "MB at 1/4", "MB at 1/2", "peak MB"], rows),
        "",
        "The scrubber: nanoseconds for a byte of a JSON body (medians of CPU time), texts never seen and then again.",
        "",
        table(["bytes", "first ns/byte", "again ns/byte"], cleaned),
        "",
        "The html report: CPU seconds to write it, and of the page's own thread to show it and to filter it by a word.",
        "",
        table(["tests", "written", "shown", "filtered", "MB"], seen),
    ]
    finish(args, data, "\n".join(out))


if __name__ == "__main__":
    main()
