"""9. Programs outside the test process: the gateway, and the guard.

in process   http.client in the test itself, replayed: what a call costs without a gateway
kept         http.client in a child, one connection for all calls
new          the same with a new connection (and TLS handshake) for each call
fixture      hwcloud_gateway and its environment, in the first test that asks for it and in those after it (CPU time)
guard        `true` started in a cloud test, over the same in a test that is none (CPU time of the parent)
many         40,000 exchanges in one test: seconds, and memory a call
"""

from __future__ import annotations

import json
import sys

from common import finish, machine, median, parser, pytest_env, run_process, spread, table, versions, workdir

SUITE = """
import http.client, json, os, resource, statistics, subprocess, sys, threading, time
import pytest

HOST, PATH = "ecs.cn-north-4.myhuaweicloud.com", "/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"
CALLS, NEW, STARTS, MANY = {calls}, {new}, {starts}, {many}
FOUND = {{}}
CHILD = '''
import http.client, json, os, sys, time
from pytest_hwcloud import sign
host, path, calls, kept = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "kept"
headers = sign("GET", "https://" + host + path, {{}}, b"", ak=os.environ["HUAWEICLOUD_SDK_AK"], sk=os.environ["HUAWEICLOUD_SDK_SK"])
del headers["Host"]
line, times = http.client.HTTPSConnection(host), []
for number in range(calls + 20):
    start = time.perf_counter()
    if not kept:
        line.close()
        line = http.client.HTTPSConnection(host)
    line.request("GET", path, headers=headers)
    answer = line.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    times.append(time.perf_counter() - start)
print(json.dumps(times[20:]))
'''

def child(gateway, calls, kind):
    command = [sys.executable, "-c", CHILD, HOST, PATH, str(calls), kind]
    return json.loads(subprocess.run(command, env=gateway.env, stdout=subprocess.PIPE, check=True).stdout)

def started():
    times = []
    for _ in range(STARTS):
        start = time.thread_time()
        process = subprocess.Popen(["true"])
        times.append(time.thread_time() - start)
        process.wait()
    return statistics.median(times)

@pytest.mark.parametrize("number", range(8))
def test_fixture(hwcloud, request, number):
    start = time.thread_time()
    request.getfixturevalue("hwcloud_gateway").env
    FOUND["fixture, first" if number == 0 else "fixture"] = time.thread_time() - start

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_in_process(hwcloud):
    keys = hwcloud.credentials()
    from pytest_hwcloud import sign
    headers = sign("GET", "https://" + HOST + PATH, {{}}, b"", ak=keys.ak, sk=keys.sk)
    line, times = http.client.HTTPSConnection(HOST), []
    for number in range(CALLS + 20):
        start = time.perf_counter()
        line.request("GET", PATH, headers=headers)
        assert line.getresponse().read()
        times.append(time.perf_counter() - start)
    FOUND["in process"] = statistics.median(times[20:])

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_kept(hwcloud, hwcloud_gateway):
    FOUND["kept"] = statistics.median(child(hwcloud_gateway, CALLS, "kept"))

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_new(hwcloud, hwcloud_gateway):
    FOUND["new"] = statistics.median(child(hwcloud_gateway, NEW, "new"))

def test_starts_plain():
    FOUND["start"] = started()

def test_starts_guarded(hwcloud):
    subprocess.run(["true"])  # the room is loaded with the first child of a run
    FOUND["start, guarded"] = started()

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_many(hwcloud, hwcloud_gateway):
    if MANY:
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        threads = [threading.Thread(target=child, args=(hwcloud_gateway, MANY // 4 - 20, "kept")) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert len(hwcloud.exchanges) == MANY
        FOUND["many, seconds"] = time.perf_counter() - start
        FOUND["many, bytes a call"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / MANY

def test_write():
    with open("found.json", "w") as file: json.dump(FOUND, file)
"""
CELLS = (
    ("in process", "ms a call", 1e3),
    ("kept", "ms a call", 1e3),
    ("new", "ms a call", 1e3),
    ("fixture, first", "ms", 1e3),
    ("fixture", "ms", 1e3),
    ("start", "ms a child", 1e3),
    ("start, guarded", "ms a child", 1e3),
    ("many, seconds", "s", 1.0),
    ("many, bytes a call", "bytes", 1.0),
)


def measured(*, quick: bool, many: int) -> dict[str, float]:
    sizes = {"calls": 200, "new": 20, "starts": 20} if quick else {"calls": 1000, "new": 200, "starts": 200}
    with workdir("children") as folder:
        (folder / "test_it.py").write_text(SUITE.format(many=many, **sizes))
        (folder / "pytest.ini").write_text("[pytest]\n")
        command = [sys.executable, "-m", "pytest", "-p", "hwcloud", "-p", "no:cacheprovider", "-q", "test_it.py"]
        run_process(command, cwd=folder, env=pytest_env())
        found: dict[str, float] = json.loads((folder / "found.json").read_text())
    return found


def main() -> None:
    args = parser(__doc__, "bench9_children").parse_args()
    rounds = 1 if args.quick else args.rounds or 5
    samples = [measured(quick=args.quick, many=0 if number or args.quick else 40_000) for number in range(rounds)]
    rows = []
    for name, unit, scale in CELLS:
        values = [sample[name] for sample in samples if name in sample]
        if values:
            rows.append([name, unit, spread(values, 1 / scale)])
    over = {
        "kept over in process (at most 1 ms)": [1e3 * (one["kept"] - one["in process"]) for one in samples],
        "new over in process (at most 10 ms)": [1e3 * (one["new"] - one["in process"]) for one in samples],
        "guard, a child (under 0.2 ms)": [1e3 * (one["start, guarded"] - one["start"]) for one in samples],
    }
    rows += [[name, "ms", f"{median(values):.3f}"] for name, values in over.items()]
    data = {"machine": machine(), "versions": versions("pytest-hwcloud", "trustme"), "samples": samples}
    out = [
        "### 9. Programs outside the test process",
        "",
        f"{rounds} rounds of one suite; the last rows are the median of the differences, round by round.",
        "",
        table(["what", "unit", "median (least-most)"], rows),
    ]
    finish(args, data, "\n".join(out))


if __name__ == "__main__":
    main()
