"""8. What a call needs: `needs()` for every service, its first look-up in a fresh table and the same one again.

first      nothing of the service is loaded: its table is read, one line of it parsed
again      the same call again; another region; a body that decides the operation
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from common import finish, machine, median, parser, sig, table, versions

from pytest_hwcloud.cloud.calls import calls, tables
from pytest_hwcloud.cloud.endpoints import base_url, locate, regions

OPERATIONS = Path(__file__).resolve().parents[1] / "facts" / "sources" / "operations.tsv"
DECIDED = "https://ecs.cn-north-4.myhuaweicloud.com/v1/0605767c80d5d5762fe0c0185a2c3f34/cloudservers/action"


def questions() -> dict[str, tuple[str, str]]:
    """Service -> method and URL of the operation whose line in the table is the longest."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in OPERATIONS.read_text(encoding="utf-8").splitlines()[1:]:
        service, _, _, method, template = line.split("\t")
        found.setdefault(service, []).append((method, template))
    asked = {}
    for service, rows in found.items():
        sizes = [(method, template.count("/")) for method, template in rows]
        method, template = max(rows, key=lambda row: sizes.count((row[0], row[1].count("/"))))
        region = "cn-north-4" if "cn-north-4" in regions(service) else regions(service)[0]
        asked[service] = method, base_url(service, region) + re.sub(r"\{\w+\}", "q1w2e3", template)
    return asked


def cpu_seconds(ask: tuple[str, str], times: int, body: bytes | None = None) -> float:
    start = time.thread_time()
    for _ in range(times):
        calls.needs(*ask, body)
    return (time.thread_time() - start) / times


def main() -> None:
    ap = parser(__doc__, "bench8_needs")
    args = ap.parse_args()
    rounds = 2 if args.quick else args.rounds or 9
    asked = questions()
    locate("https://ecs.cn-north-4.myhuaweicloud.com")  # the endpoints are loaded once a process
    first: dict[str, list[float]] = {service: [] for service in asked}
    again: dict[str, list[float]] = {service: [] for service in asked}
    decided: list[float] = []
    for _ in range(rounds):
        calls.clear_tables()
        tables._file.cache_clear()
        for service, ask in asked.items():
            first[service].append(cpu_seconds(ask, 1))
            again[service].append(cpu_seconds(ask, 20 if args.quick else 200))
        calls.needs("POST", DECIDED, b'{"os-stop": {}}')
        decided.append(cpu_seconds(("POST", DECIDED), 200, b'{"os-stop": {}}'))
    rows = []
    for name, cells, scale, unit in (("first", first, 1e3, "ms"), ("again", again, 1e6, "us")):
        each = {service: median(values) * scale for service, values in cells.items()}
        worst = max(each, key=lambda service: each[service])
        rows.append([name, unit, sig(median(list(each.values()))), sig(each[worst]), worst])
    rows.append(["again, the body decides", "us", sig(median(decided) * 1e6), "", "ecs"])
    data = {"machine": machine(), "versions": versions("pytest-hwcloud"), "first": first, "again": again}
    out = [
        "### 8. What a call needs",
        "",
        f"`needs()` over {len(asked)} services, CPU time, {rounds} rounds: the median service and the slowest one.",
        "",
        table(["look-up", "unit", "median service", "slowest", "which"], rows),
    ]
    finish(args, data, "\n".join(out))


if __name__ == "__main__":
    main()
