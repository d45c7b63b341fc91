"""2. Per-test overhead.

Part A  2,000 trivial tests (`pass`) with a plugin loaded and not used, against none loaded.
Part B  1,000 tests that each replay one cassette with one interaction, in the way of each library.

Whole processes, interleaved; the cost per test is (process - the trivial suite of the same round) / n, in CPU time.
"""

from __future__ import annotations

import sys

import suites
from bench1_startup import NOOP
from bench1_startup import REGISTRY as PLUGINS
from common import (
    best,
    choose,
    finish,
    interleave,
    machine,
    median,
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

# What each way of being present costs a test that does not use the plugin.
HOOKS = {
    "nothing": "",
    "marker looked up once at collection": "def pytest_collection_modifyitems(items):\n    for i in items:\n        i.get_closest_marker('hwcloud')\n",
    "pytest_runtest_setup, marker looked up": "def pytest_runtest_setup(item):\n    item.get_closest_marker('hwcloud')\n",
    "pytest_runtest_makereport wrapper": "import pytest\n@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_makereport(item, call):\n    return (yield)\n",
    "pytest_exception_interact (only failures)": "def pytest_exception_interact(node, call, report):\n    pass\n",
    "one autouse fixture": "import pytest\n@pytest.fixture(autouse=True)\ndef _hw(request):\n    yield\n",
    "autouse fixture + marker + session fixture": "import pytest\n@pytest.fixture(scope='session')\ndef _cfg():\n    return {}\n@pytest.fixture(autouse=True)\n"
    "def _hw(request, _cfg):\n    request.node.get_closest_marker('hwcloud')\n    yield\n",
}
EXTRA = (
    "pytest-vcr",
    "vcrpy (yaml)",
    "vcrpy (json)",
    "cassetter (requests)",
    "requests-mock",
    "limit: canned + JSON file",
    "limit: canned, one lean session",
)


def profile(n: int = 200) -> str:
    """Where vcrpy's time goes when each request has a cassette of its own (as in part B)."""
    import cProfile
    import io
    import pstats

    import requests
    import vcr

    with workdir("pertest-profile") as d:
        for i in range(n):
            suites.write_vcr_yaml(d / f"test_{i}.yaml", [suites.vcr_interaction(i)])
        v = vcr.VCR(record_mode="none", cassette_library_dir=str(d))

        def one(i: int) -> None:
            with v.use_cassette(f"test_{i}.yaml"):
                assert requests.get(suites.url(i)).status_code == 401

        one(0)
        pr = cProfile.Profile()
        pr.enable()
        for i in range(n):
            one(i)
        pr.disable()
    out = []
    for order in ("cumtime", "tottime"):
        buf = io.StringIO()
        pstats.Stats(pr, stream=buf).strip_dirs().sort_stats(order).print_stats(45)
        out.append("\n".join(x for x in buf.getvalue().splitlines() if x.strip()))
    return "\n\n".join(out)


def hooks(args, n: int, rounds: int) -> None:
    with workdir("pertest-hooks") as d:
        suites.write_suite(d, suites.trivial(), n)
        env = pytest_env(PYTHONPATH=str(d))
        base = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        cases = {}
        for k, (name, code) in enumerate(HOOKS.items()):
            (d / f"hook_{k}_plugin.py").write_text(code)
            cases[name] = lambda k=k: run_process(
                [*base, "-p", f"hook_{k}_plugin"], cwd=d, env=env, must_print=f"{n} passed"
            )
        run_process([*base, "--co"], cwd=d, env=env)
        got = interleave(cases, rounds, warmup=0)
    zero = pluck(got["nothing"], "cpu")
    rows = [
        [
            name,
            spread(pluck(v, "cpu")),
            sig(ratio(pluck(v, "cpu"), zero)),
            sig(median((x - y) / n * 1e6 for x, y in zip(pluck(v, "cpu"), zero, strict=False))),
            sig((min(pluck(v, "cpu")) - min(zero)) / n * 1e6),
        ]
        for name, v in got.items()
    ]
    if args.json.endswith("bench2_pertest.json"):
        args.json = args.json.replace(".json", "-hooks.json")
    finish(
        args,
        {"machine": machine(), "versions": versions("pytest"), "hooks": got},
        f"### 2. What a hook costs\n\n{n} trivial tests with a plugin of one hook, {rounds} rounds, CPU.\n\n"
        + table(["plugin", "CPU s", "/ nothing", "extra us per test", "(minima)"], rows),
    )


def main() -> None:
    ap = parser(__doc__, "bench2_pertest")
    ap.add_argument("--tests", type=int, default=2000, help="trivial tests in part A")
    ap.add_argument("--cassettes", type=int, default=1000, help="replaying tests in part B")
    ap.add_argument("--part", choices=["a", "b", "ab"], default="b", help="each part takes 2 to 3 minutes")
    ap.add_argument("--all", action="store_true", help="part B with the further variants: " + ", ".join(EXTRA))
    ap.add_argument("--profile", action="store_true", help="only profile vcrpy with one cassette for each request")
    ap.add_argument(
        "--hooks", action="store_true", help="only measure what single hooks and fixtures cost an unrelated test"
    )
    args = ap.parse_args()
    if args.hooks:
        hooks(args, 200 if args.quick else args.tests, 1 if args.quick else args.rounds or 7)
        return
    if args.profile:
        print(profile())
        return
    rounds = 1 if args.quick else args.rounds or 3
    n_a, n_b = (100, 50) if args.quick else (args.tests, args.cassettes)
    out, data = (
        ["### 2. Per-test overhead", ""],
        {
            "machine": machine(),
            "versions": versions(
                "pytest",
                "pytest-recording",
                "pytest-vcr",
                "vcrpy",
                "betamax",
                "cassetter",
                "responses",
                "requests-mock",
                "requests",
            ),
        },
    )

    if "a" in args.part:
        names = [
            "bare",
            "noop",
            "pytest-recording",
            "pytest-vcr",
            "cassetter",
            "requests-mock",
            "pytest-responses",
            "xdist",
            "hwcloud",
        ]
        subjects = choose(args, {n: PLUGINS[n] for n in names}, always=("bare", "noop", "pytest-recording"))
        with workdir("pertest-a") as d:
            suites.write_suite(d, suites.trivial(), n_a)
            (d / "noop_bench_plugin.py").write_text(NOOP)
            (d / "one.py").write_text("def test_one():\n    pass\n")
            env = pytest_env(PYTHONPATH=str(d))
            base = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            cases = {}
            for name, s in subjects.items():
                cases[name] = lambda s=s: run_process(base + s["args"], cwd=d, env=env, must_print=f"{n_a} passed")
                cases[name + " /1"] = lambda s=s: run_process(
                    base + s["args"] + ["one.py"], cwd=d, env=env, must_print="1 passed"
                )
            run_process([*base, "--co"], cwd=d, env=env)  # compiles the test modules once
            a = interleave(cases, rounds, warmup=0)
        data["trivial"] = a
        bare = pluck(a["bare"], "cpu")
        rows = []
        per = {}
        for name in subjects:
            c, one = pluck(a[name], "cpu"), pluck(a[name + " /1"], "cpu")
            per[name] = [(x - y) / (n_a - 1) for x, y in zip(c, one, strict=False)]
        for name in subjects:
            c = pluck(a[name], "cpu")
            extra = [(x - y) for x, y in zip(per[name], per["bare"], strict=False)]
            rows.append(
                [
                    name,
                    spread(pluck(a[name], "wall")),
                    spread(c),
                    sig(ratio(c, bare)),
                    spread(per[name], 1e-6),
                    sig(ratio(per[name], per["bare"])),
                    sig(best(per[name], per["bare"])),
                    sig(median(extra) * 1e6),
                ]
            )
        out += [
            f"A. {n_a} trivial tests, plugin loaded but not used, {rounds} rounds. Per test = (n tests - 1 test) / (n-1), CPU.",
            "",
            table(
                [
                    "plugin",
                    "wall s",
                    "CPU s",
                    "CPU / bare",
                    "us per test",
                    "per test / bare",
                    "(minima)",
                    "extra us per test",
                ],
                rows,
            ),
            "",
        ]

    if "b" in args.part:
        registry = {n: f for n, f in suites.REGISTRY.items() if args.all or n not in EXTRA or n in (args.subject or ())}
        subjects = choose(args, registry, always=("trivial", "pytest-recording", "limit: canned adapter"))
        with workdir("pertest-b") as d:
            cases = {}
            for k, (name, suite) in enumerate(subjects.items()):
                root = d / f"s{k}"
                root.mkdir()
                suites.write_suite(root, suite, n_b)
                env = pytest_env()
                argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suite.args]
                run_process([*argv, "--co"], cwd=root, env=env)  # compiles the test modules once
                cases[name] = lambda argv=argv, root=root, env=env: run_process(
                    argv, cwd=root, env=env, must_print=f"{n_b} passed"
                )
                cases[name + " /1"] = lambda argv=argv, root=root, env=env: run_process(
                    [*argv, "test_m000.py::test_0"], cwd=root, env=env, must_print="1 passed"
                )
            both = interleave(cases, rounds, warmup=0)
        data["replay"] = both
        b = {n: s for n, s in both.items() if not n.endswith(" /1")}
        limit = "limit: canned adapter"
        own = {
            n: [(x - y) / (n_b - 1) for x, y in zip(pluck(s, "cpu"), pluck(both[n + " /1"], "cpu"), strict=False)]
            for n, s in b.items()
        }
        per = {n: [x - y for x, y in zip(own[n], own["trivial"], strict=False)] for n in b}
        rows = []
        for name, s in b.items():
            c = pluck(s, "cpu")
            rows.append(
                [
                    name,
                    spread(pluck(s, "wall")),
                    spread(c),
                    sig(ratio(c, pluck(b[limit], "cpu"))),
                    sig(median(own[name]) * 1e6),
                    "-" if name == "trivial" else spread(per[name], 1e-6),
                    "-" if name == "trivial" else sig(ratio(per[name], per[limit])),
                    "-" if name == "trivial" else sig(best(per[name], per[limit])),
                    sig(max(pluck(s, "rss_mb"))),
                    subjects[name].note,
                ]
            )
        out += [
            f"B. {n_b} tests, each replaying one interaction, {rounds} rounds. Per test = (n tests - 1 test) / (n-1), CPU, so imports and start-up are out; replay = that beyond the trivial suite's.",
            "",
            table(
                [
                    "subject",
                    "wall s",
                    "CPU s",
                    "CPU / limit",
                    "us per test",
                    "replay us per test",
                    "replay / limit",
                    "(minima)",
                    "peak MB",
                    "note",
                ],
                rows,
            ),
        ]
    finish(args, data, "\n".join(out))


if __name__ == "__main__":
    main()
