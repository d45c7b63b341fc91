"""6. xdist: the suite of 1,000 cassettes with two workers against none.

Wall time decides here (the point of workers), so the rounds are interleaved and
the ratio is taken pair by pair. "idle" is what two workers cost on one test.
"""

from __future__ import annotations

import sys

import suites
from common import (
    choose,
    finish,
    interleave,
    machine,
    parser,
    pluck,
    pytest_env,
    ratio,
    run_process,
    sig,
    spread,
    table,
    versions,
    workdir,
)

NAMES = ["trivial", "pytest-recording", "cassetter", "limit: canned adapter", "limit: prototype, signed", "hwcloud"]
MORE = ["pytest-vcr", "betamax", "limit: canned + JSON file"]


def beyond(s: dict, name: str, tag: str) -> list[float]:
    """Seconds of each round beyond the trivial suite run the same way: the part that is the library's."""
    return [x - y for x, y in zip(pluck(s[f"{name}|{tag}"], "wall"), pluck(s[f"trivial|{tag}"], "wall"), strict=False)]


def main() -> None:
    ap = parser(__doc__, "bench6_xdist")
    ap.add_argument("--cassettes", type=int, default=1000)
    ap.add_argument("--workers", type=int, default=2)
    ap.add_argument("--all", action="store_true", help="also " + ", ".join(MORE))
    args = ap.parse_args()
    rounds = 1 if args.quick else args.rounds or 3
    n = 50 if args.quick else args.cassettes
    subjects = choose(
        args,
        {k: suites.REGISTRY[k] for k in NAMES + (MORE if args.all or args.subject else [])},
        always=("trivial", "pytest-recording", "limit: canned adapter"),
    )
    data = {
        "machine": machine(),
        "versions": versions("pytest-xdist", "execnet", "pytest", "pytest-recording", "pytest-vcr", "cassetter"),
    }
    with workdir("xdist") as d:
        cases = {}
        for k, (name, suite) in enumerate(subjects.items()):
            root = d / f"s{k}"
            root.mkdir()
            suites.write_suite(root, suite, n)
            argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suite.args]
            run_process([*argv, "--co"], cwd=root, env=pytest_env())
            for tag, more in (("n0", []), (f"n{args.workers}", ["-p", "xdist.plugin", "-n", str(args.workers)])):
                cases[f"{name}|{tag}"] = lambda argv=argv, more=more, root=root: run_process(
                    argv + more, cwd=root, env=pytest_env(), must_print=f"{n} passed"
                )
        one = d / "s0"
        cases["idle|n0"] = lambda: run_process(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_m000.py::test_0"],
            cwd=one,
            env=pytest_env(),
            must_print="1 passed",
        )
        cases["idle|nw"] = lambda: run_process(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "-p",
                "xdist.plugin",
                "-n",
                str(args.workers),
                "test_m000.py::test_0",
            ],
            cwd=one,
            env=pytest_env(),
            must_print="1 passed",
        )
        s = interleave(cases, rounds, warmup=0)
    data["samples"] = s
    rows = []
    tag = f"n{args.workers}"
    limit = "limit: canned adapter"
    for name in subjects:
        a, b = s[f"{name}|n0"], s[f"{name}|{tag}"]
        rows.append(
            [
                name,
                spread(pluck(a, "wall")),
                spread(pluck(b, "wall")),
                sig(ratio(pluck(b, "wall"), pluck(a, "wall"))),
                sig(ratio(pluck(b, "cpu"), pluck(a, "cpu"))),
                sig(ratio(pluck(b, "wall"), pluck(s[f"{limit}|{tag}"], "wall"))),
                sig(ratio(pluck(a, "wall"), pluck(s[f"{limit}|n0"], "wall"))),
                "-" if name == "trivial" else sig(ratio(beyond(s, name, tag), beyond(s, name, "n0"))),
            ]
        )
    idle = [y - x for x, y in zip(pluck(s["idle|n0"], "wall"), pluck(s["idle|nw"], "wall"), strict=False)]
    out = [
        "### 6. xdist",
        "",
        f"{n} tests, {args.workers} workers against none, {rounds} rounds, wall seconds. The workers alone cost {spread(idle)} s on one test. "
        "Last column: the time beyond the trivial suite run the same way, with workers / without (two perfect workers: 0.5).",
        "",
        table(
            [
                "subject",
                "none",
                f"{args.workers} workers",
                "workers / none (wall)",
                "workers / none (CPU)",
                "with workers / limit",
                "none / limit",
                "replay: workers / none",
            ],
            rows,
        ),
    ]
    finish(args, data, "\n".join(out))


if __name__ == "__main__":
    main()
