"""1. Start-up: what loading a plugin costs every `pytest` run.

Part A  whole processes: `pytest --co -q` on an empty test file, autoloading off, one plugin loaded with -p.
Part B  the same with autoloading on (entry points scanned), everything blocked or only one plugin let through.
Part C  `python -X importtime`: import time of the modules a plugin might import eagerly, alone and after `import pytest`.
Part D  how many modules the pytest process holds at its end beyond the bare one's (exact, no noise).

bare     pytest without any third-party plugin
noop     a plugin of five lines that imports nothing: the limit
eager    a plugin that imports requests, yaml, vcr and the Huawei SDK at the top: what to avoid
"""

from __future__ import annotations

import re
import subprocess
import sys

import plugin_subject
from common import (
    choose,
    finish,
    has,
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

NOOP = """\
def pytest_addoption(parser):
    parser.addini("noop_bench", "unused", default=None)
def pytest_configure(config):
    config.addinivalue_line("markers", "noop_bench: unused")
"""
EAGER_LIGHT = "import requests\nimport yaml\nimport vcr\n" + NOOP
EAGER_FULL = (
    "import requests\nimport yaml\nimport vcr\nimport huaweicloudsdkcore.client\nimport huaweicloudsdkcore.signer.signer\n"
    + NOOP
)


def p(module: str, *needs: str):
    def make() -> dict:
        for m in (module.split(".")[0], *needs):
            has(m)
        return {"args": ["-p", module]}

    return make


REGISTRY = {
    "bare": lambda: {"args": []},
    "noop": lambda: {"args": ["-p", "noop_bench_plugin"]},
    "pytest-recording": p("pytest_recording.plugin", "vcr"),
    "pytest-vcr": p("pytest_vcr", "vcr"),
    "cassetter": p("cassetter.pytest_plugin"),
    "betamax": p("betamax.fixtures.pytest"),
    "requests-mock": p("requests_mock.contrib._pytest_plugin"),
    "pytest-responses": p("pytest_responses"),
    "pytest-httpserver": p("pytest_httpserver.pytest_plugin"),
    "xdist": p("xdist.plugin"),
    "eager (requests+yaml+vcr)": lambda: {"args": ["-p", "eager_light_plugin"]},
    "eager (+Huawei SDK core)": lambda: {"args": ["-p", "eager_full_plugin"]},
    "hwcloud": plugin_subject.startup,
}

IMPORTS = {
    "noop_bench_plugin (limit)": "import noop_bench_plugin",
    "pytest_recording.plugin": "import pytest_recording.plugin",
    "pytest_vcr": "import pytest_vcr",
    "cassetter.pytest_plugin": "import cassetter.pytest_plugin",
    "requests_mock.contrib._pytest_plugin": "import requests_mock.contrib._pytest_plugin",
    "yaml": "import yaml",
    "requests": "import requests",
    "vcr (no botocore)": "import sys; sys.modules['botocore']=None; sys.modules['botocore.awsrequest']=None; import vcr",
    "vcr (botocore installed)": "import vcr",
    "cassetter": "import cassetter",
    "betamax": "import betamax",
    "responses": "import responses",
    "huaweicloudsdkcore.signer.signer": "import huaweicloudsdkcore.signer.signer",
    "huaweicloudsdkcore.client": "import huaweicloudsdkcore.client",
    "huaweicloudsdkecs.v2": "import huaweicloudsdkecs.v2",
    "json+hashlib+hmac": "import json, hashlib, hmac",
    "http.client+urllib.parse+json+hashlib+hmac": "import http.client, urllib.parse, json, hashlib, hmac",
}


COUNTER = """\
import sys
def pytest_unconfigure(config):
    print("MODULES", len(sys.modules), ",".join(sorted({m.partition(".")[0] for m in sys.modules if not m.startswith("_")})))
"""


def import_cost(code: str, env: dict[str, str], after: str | None = None) -> float:
    """Microseconds of import time (sum of self times) of `code`; with `after`, only of what follows that import in the same process."""
    src = f"import {after}; {code}" if after else code
    got = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", src], env=env, capture_output=True, text=True, timeout=60
    )
    if got.returncode:
        raise RuntimeError(got.stderr[-800:])
    total, on = 0, False
    mark = after or "site"  # everything up to here would be imported anyway
    for line in got.stderr.splitlines():
        m = re.match(r"import time:\s+(\d+) \|\s+(\d+) \| (\s*)(\S+)", line)
        if not m or m[4] == "package":
            continue
        if on:
            total += int(m[1])
        elif m[4] == mark and not m[3]:
            on = True
    if not on:
        raise RuntimeError(f"no line for {mark}")
    return float(total)


def main() -> None:
    ap = parser(__doc__, "bench1_startup")
    ap.add_argument("--skip-autoload", action="store_true", help="leave part B out")
    ap.add_argument("--skip-imports", action="store_true", help="leave part C out")
    args = ap.parse_args()
    rounds = 1 if args.quick else args.rounds or 7
    subjects = choose(args, REGISTRY, always=("bare", "noop", "pytest-recording"))
    info = machine()
    with workdir("startup") as d:
        (d / "test_empty.py").write_text("")
        (d / "noop_bench_plugin.py").write_text(NOOP)
        (d / "eager_light_plugin.py").write_text(EAGER_LIGHT)
        (d / "eager_full_plugin.py").write_text(EAGER_FULL)
        (d / "pytest.ini").write_text("[pytest]\n")
        env = pytest_env(PYTHONPATH=str(d))
        base = [sys.executable, "-m", "pytest", "--co", "-q", "-p", "no:cacheprovider", "test_empty.py"]

        def case(extra: list[str], env=env):
            return lambda: run_process(base + extra, cwd=d, env=env, expect=(5,))

        a = interleave({n: case(s["args"]) for n, s in subjects.items()}, rounds)
        b = {}
        if not args.skip_autoload:
            auto = dict(env)
            auto.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
            blocked = [
                "recording",
                "vcr",
                "cassetter",
                "pytest-betamax",
                "requests_mock",
                "pytest-responses",
                "pytest_httpserver",
                "xdist",
                "xdist.looponfail",
                "hwcloud",
            ]

            def only(keep: str | None):
                extra = [x for n in blocked if n != keep for x in ("-p", f"no:{n}")]
                return case(extra, auto)

            keep = {"all blocked": None, "pytest-recording": "recording", "pytest-vcr": "vcr", "cassetter": "cassetter"}
            if "hwcloud" in subjects:
                keep["hwcloud"] = "hwcloud"
            b = interleave({n: only(k) for n, k in keep.items()}, max(1, rounds - 2))
        imports = {}
        n_imp = 1 if args.quick else 3
        on_top: dict[str, list[float]] = {}
        for _ in range(0 if args.skip_imports else n_imp + 1):
            for name, code in IMPORTS.items():
                try:
                    imports.setdefault(name, []).append(import_cost(code, env))
                    on_top.setdefault(name, []).append(import_cost(code, env, after="pytest"))
                except RuntimeError as why:
                    print(f"  (left out: import {name}: {why})", file=sys.stderr)
        imports = {k: v[1:] for k, v in imports.items()}  # the first round warmed the caches
        on_top = {k: v[1:] for k, v in on_top.items()}
        (d / "counter_bench_plugin.py").write_text(COUNTER)
        modules: dict[str, tuple[int, set[str]]] = {}
        for n, s in subjects.items():
            text = str(
                run_process(base + s["args"] + ["-p", "counter_bench_plugin"], cwd=d, env=env, expect=(5,))["out"]
            )
            m = re.search(r"MODULES (\d+) (\S+)", text)
            modules[n] = int(m[1]), set(m[2].split(","))

    out = [
        "### 1. Start-up",
        "",
        f"`pytest --co -q` on an empty file, autoloading off, {rounds} interleaved rounds; ms of wall and CPU.",
        "",
    ]
    bare_w, bare_c = pluck(a["bare"], "wall"), pluck(a["bare"], "cpu")
    rows = []
    for n, s in a.items():
        w, c = pluck(s, "wall"), pluck(s, "cpu")
        rows.append(
            [
                n,
                spread(w, 1e-3),
                spread(c, 1e-3),
                sig(ratio(w, bare_w)),
                sig(ratio(c, bare_c)),
                sig(1e3 * (sorted(x - y for x, y in zip(c, bare_c, strict=False))[len(c) // 2])),
                sig(min(c) / min(bare_c)),
                sig(max(pluck(s, "rss_mb"))),
                f"+{modules[n][0] - modules['bare'][0]}",
                " ".join(
                    sorted(
                        x
                        for x in (
                            "requests",
                            "urllib3",
                            "yaml",
                            "vcr",
                            "ssl",
                            "email",
                            "http",
                            "asyncio",
                            "werkzeug",
                            "cassetter",
                            "huaweicloudsdkcore",
                        )
                        if x in modules[n][1] - modules["bare"][1]
                    )
                ),
            ]
        )
    out.append(
        table(
            [
                "subject",
                "wall ms",
                "CPU ms",
                "wall / bare",
                "CPU / bare",
                "extra CPU ms",
                "CPU / bare (minima)",
                "peak MB",
                "modules",
                "among them",
            ],
            rows,
        )
    )
    if b:
        _base_w, base_c = pluck(b["all blocked"], "wall"), pluck(b["all blocked"], "cpu")
        out += [
            "",
            "Autoloading on (entry points scanned; all other plugins blocked with -p no:):",
            "",
            table(
                ["let through", "wall ms", "CPU ms", "CPU / all blocked"],
                [
                    [
                        n,
                        spread(pluck(s, "wall"), 1e-3),
                        spread(pluck(s, "cpu"), 1e-3),
                        sig(ratio(pluck(s, "cpu"), base_c)),
                    ]
                    for n, s in b.items()
                ],
            ),
        ]
    if imports:
        out += [
            "",
            f"`python -X importtime` (sum of self times, {n_imp} runs), ms:",
            "",
            table(
                ["import", "ms alone", "ms after `import pytest`"],
                [[n, spread(v, 1e3), spread(on_top[n], 1e3)] for n, v in imports.items()],
            ),
        ]
    finish(
        args,
        {
            "machine": info,
            "versions": versions(
                "pytest", "pytest-recording", "pytest-vcr", "vcrpy", "cassetter", "requests", "PyYAML"
            ),
            "explicit": a,
            "autoload": b,
            "imports_us": imports,
            "imports_on_top_of_pytest_us": on_top,
            "modules": {n: c for n, (c, _) in modules.items()},
        },
        "\n".join(out),
    )


if __name__ == "__main__":
    main()
