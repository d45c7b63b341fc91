"""3. Cassette scale: one cassette with N interactions (10, 100, 1,000, 10,000).

For each library and N, each in a process of its own: seconds to save, seconds to
load (best of a few for small N), resident memory the loaded cassette takes,
microseconds per replayed request at the first, the middle and the last
interaction, and a request that is not in the cassette (the error path).

--sizes 10000 is left to a run of its own (about 2 minutes), as are
--polls      one URL recorded many times and asked for as often,
--parsers    YAML loaders and JSON on one document,
--profile N  where vcrpy's time goes.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from pathlib import Path

import cassette_subjects
from common import (
    Unavailable,
    choose,
    finish,
    machine,
    median,
    parser,
    pytest_env,
    ratio,
    repeat,
    sig,
    spread,
    table,
    time_calls,
    versions,
    workdir,
)


# --------------------------------------------------------------------------- one measurement in a process of its own
def child(name: str, phase: str, path: Path, n: int) -> dict:
    subject = cassette_subjects.REGISTRY[name]()
    if phase == "save":
        return {"save_s": subject.save(path, n), "bytes": path.stat().st_size}
    # imports and first calls are not part of it: a small cassette goes first
    small = path.with_name("small-" + path.name)
    if not small.exists():
        subject.save(small, 20)
    w = subject.load(small)
    s = subject.open(w, small)
    for i in range(20):
        s.get(cassette_subjects.url(i))
    subject.close()
    del w, s
    gc.collect()
    import psutil

    me = psutil.Process()
    before = me.memory_info().rss
    t = time.perf_counter()
    loaded = subject.load(path)
    load_s = time.perf_counter() - t
    gc.collect()
    rss = me.memory_info().rss - before
    session = subject.open(loaded, path)
    out = {"load_s": load_s, "rss_mb": rss / (1 << 20)}
    k = max(1, min(60, n // 4))
    for where, start in {"first": 0, "middle": n // 2, "last": n - k}.items():
        ts: list[float] = []
        for i in range(start, start + k) if where != "last" else range(n - 1, n - 1 - k, -1):
            u = cassette_subjects.url(i)
            t = time.perf_counter()
            r = session.get(u)
            ts.append(time.perf_counter() - t)
            assert r.status_code == 200 and r.json()["request_id"] == f"{i:032x}", (i, r.text[:100])
            if sum(ts) > 0.4:
                break
        out[f"{where}_us"] = median(ts) * 1e6
    t = time.perf_counter()
    try:
        session.get(cassette_subjects.url(n + 12345))
        missed = False
    except Exception:
        missed = True
    out["miss_ms"] = (time.perf_counter() - t) * 1e3
    assert missed, "a request that is not in the cassette must fail"
    subject.close()
    return out


def spawn(name: str, phase: str, path: Path, n: int, timeout: float = 120) -> dict:
    argv = [sys.executable, __file__, "--child", json.dumps([name, phase, str(path), n])]
    got = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, env=pytest_env())
    if got.returncode:
        raise RuntimeError(f"{name} {phase} {n}: {got.stderr[-1500:]}")
    return json.loads(got.stdout.splitlines()[-1])


# --------------------------------------------------------------------------- parsers
def parsers(n: int, rounds: int) -> tuple[dict, str]:
    import yaml
    from vcr.serializers import yamlserializer

    with workdir("parsers") as d:
        p = d / "c.yaml"
        cassette_subjects.Vcrpy("yaml").save(p, n)
        text = p.read_text()
        data = yaml.load(text, Loader=yaml.CSafeLoader)
        as_json = json.dumps(data)
        q = d / "c-cassetter.yaml"
        cases = {}
        cases["yaml.CSafeLoader"] = repeat(lambda: yaml.load(text, Loader=yaml.CSafeLoader))
        cases["vcrpy yamlserializer"] = repeat(lambda: yamlserializer.deserialize(text))
        cases["yaml.SafeLoader (pure Python)"] = repeat(lambda: yaml.load(text, Loader=yaml.SafeLoader))
        cases["json.loads"] = repeat(lambda: json.loads(as_json))
        try:
            import orjson

            cases["orjson.loads"] = repeat(lambda: orjson.loads(as_json))
        except ImportError:
            pass
        try:
            from cassetter._core import Cassette as Rust

            cassette_subjects.Cassetter().save(q, n)
            cases["cassetter _core.load (Rust)"] = repeat(lambda: Rust.load(str(q)))
        except ImportError:
            pass
        cases["yaml.dump CDumper"] = repeat(lambda: yaml.dump(data, Dumper=yaml.CDumper))
        cases["json.dumps"] = repeat(lambda: json.dumps(data))
        t = time_calls(cases, rounds=rounds, batch_s=0.05)
    base = t["json.loads"]
    text = table(
        ["parser", f"ms for {n} interactions", "/ json.loads"],
        [[k, spread(v, 1e-3), sig(ratio(v, base))] for k, v in t.items()],
    )
    bases = [b.__name__ for b in yamlserializer._CassetteLoader.__mro__[1:3]]
    return (
        t,
        f"vcrpy's loader derives from {bases[0]}, its dumper from {yamlserializer._CassetteDumper.__mro__[1].__name__}; libyaml present: {yaml.__with_libyaml__}.\n\n{text}",
    )


def profile(n: int) -> str:
    """cProfile of vcrpy: load, then replay all n interactions in order; and the counts that show the square."""
    import cProfile
    import io
    import pstats

    out = []
    with workdir("profile") as d:
        p = d / "c.yaml"
        s = cassette_subjects.Vcrpy("yaml")
        s.save(p, n)
        for phase in ("load", "replay"):
            pr = cProfile.Profile()
            if phase == "load":
                pr.enable()
                loaded = s.load(p)
                pr.disable()
            else:
                session = s.open(loaded, p)
                pr.enable()
                for i in range(n):
                    session.get(cassette_subjects.url(i))
                pr.disable()
                s.close()
            buf = io.StringIO()
            stats = pstats.Stats(pr, stream=buf).strip_dirs().sort_stats("tottime")
            stats.print_stats(14)
            rows = [l for l in buf.getvalue().splitlines() if l.strip() and not l.startswith(("   Ordered", "   List"))]
            out.append(f"#### vcrpy {phase}, N = {n}\n\n```\n" + "\n".join(rows) + "\n```\n")
            if phase == "replay":
                calls = {
                    f"{f}:{fn}": v[1]
                    for (f, line, fn), v in stats.stats.items()
                    if fn
                    in (
                        "requests_match",
                        "get_matchers_results",
                        "_evaluate_matcher",
                        "_responses",
                        "query",
                        "can_play_response_for",
                        "play_response",
                        "__contains__",
                    )
                }
                out.append(
                    "Calls: " + ", ".join(f"{k} {v:,}" for k, v in sorted(calls.items(), key=lambda x: -x[1])) + "\n"
                )
    return "\n".join(out)


def polls(n: int, rounds: int = 3) -> dict[str, list[float]]:
    """The same URL recorded n times (a job that is polled) and replayed n times: seconds per request."""
    out: dict[str, list[float]] = {}
    real = cassette_subjects.url
    subjects = {
        k: cassette_subjects.REGISTRY[k]
        for k in (
            "vcrpy (yaml)",
            "betamax",
            "cassetter",
            "cassetter (requests)",
            "limit: JSON + dict",
            "limit: JSON + dict, own send",
            "hwcloud",
        )
    }
    cassette_subjects.url = lambda i: real(0)
    try:
        with workdir("polls") as d:
            ready = {}
            for k, (name, make) in enumerate(subjects.items()):
                try:
                    s = make()
                except Unavailable:
                    continue
                p = d / f"p{k}{s.suffix}"
                s.save(p, n)
                ready[name] = s, p
            for _ in range(rounds):
                for name, (s, p) in ready.items():
                    loaded = s.load(p)
                    session = s.open(loaded, p)
                    t = time.perf_counter()
                    for _i in range(n):
                        session.get(real(0))
                    out.setdefault(name, []).append((time.perf_counter() - t) / n)
                    s.close()
    finally:
        cassette_subjects.url = real
    return out


def main() -> None:
    ap = parser(__doc__, "bench3_cassette")
    ap.add_argument("--sizes", default="10,100,1000")
    ap.add_argument("--child", help="(internal) one measurement")
    ap.add_argument("--parsers", action="store_true")
    ap.add_argument("--polls", action="store_true")
    ap.add_argument("--profile", type=int, metavar="N", help="only profile vcrpy with N interactions")
    args = ap.parse_args()
    if args.child:
        name, phase, path, n = json.loads(args.child)
        print(json.dumps(child(name, phase, Path(path), n)))
        return
    if args.profile:
        print(profile(args.profile))
        return
    extra = (
        "parsers"
        if args.parsers
        else "polls"
        if args.polls
        else ""
        if args.sizes == ap.get_default("sizes")
        else args.sizes
    )
    if extra and args.json == ap.get_default("json"):
        args.json = args.json.replace(".json", f"-{extra}.json")
    about = versions("vcrpy", "PyYAML", "betamax", "cassetter", "responses", "requests")
    if args.parsers:
        figures, text = parsers(100 if args.quick else 1000, args.rounds or 5)
        finish(args, {"machine": machine(), "versions": about, "parsers": figures}, "### 3. Parsers\n\n" + text)
        return
    if args.polls:
        count = 50 if args.quick else 300
        polled = polls(count, args.rounds or 5)
        finish(
            args,
            {"machine": machine(), "versions": about, "polls": polled},
            f"### 3. Polls\n\nOne URL recorded {count} times and asked for {count} times:\n\n"
            + table(
                ["subject", "us per request", "/ JSON + dict"],
                [[k, spread(v, 1e-6), sig(ratio(v, polled["limit: JSON + dict"]))] for k, v in polled.items()],
            ),
        )
        return
    sizes = [10, 50] if args.quick else [int(x) for x in args.sizes.split(",")]
    rounds = 1 if args.quick else args.rounds or 3
    subjects = choose(
        args,
        cassette_subjects.REGISTRY,
        always=("vcrpy (yaml)", "limit: JSON + dict", "limit: JSON + dict, own send", "limit: lazy sidecar, own send"),
    )
    data: dict = {"machine": machine(), "versions": about, "cells": {}}
    blocks = ["### 3. Cassette scale", ""]
    with workdir("cassette") as d:
        for n in sizes:
            here: dict[str, list[dict]] = {k: [] for k in subjects}
            failed: dict[str, list[str]] = {}
            times = rounds if n < 10000 else 1 if args.rounds is None else args.rounds
            for r in range(times):
                order = list(subjects)
                order = order[r % len(order) :] + order[: r % len(order)]
                for name in order:
                    path = d / f"c{list(subjects).index(name)}-{n}{subjects[name].suffix}"
                    if name in failed:
                        continue
                    try:
                        got = spawn(name, "save", path, n)
                        got.update(spawn(name, "load", path, n))
                    except (RuntimeError, subprocess.TimeoutExpired) as why:
                        failed[name] = str(why).strip().splitlines()
                        continue
                    here[name].append(got)
                print(f"  N={n} round {r + 1}/{times}", file=sys.stderr, flush=True)
            data["cells"][str(n)] = here
            lim = here.get("limit: JSON + dict")

            def col(name: str, key: str) -> list[float]:
                return [x[key] for x in here[name]]

            rows = []
            for name in subjects:
                if name in failed:
                    rows.append([name, "FAILED"] + ["-"] * 9)
                    continue
                row = [name, sig(median(col(name, "save_s")) * 1e3), sig(median(col(name, "load_s")) * 1e3)]
                row.append(sig(ratio(col(name, "load_s"), [x["load_s"] for x in lim])) if lim else "-")
                row += [sig(median(col(name, k))) for k in ("first_us", "middle_us", "last_us")]
                row.append(sig(ratio(col(name, "middle_us"), [x["middle_us"] for x in lim])) if lim else "-")
                row += [
                    sig(median(col(name, "miss_ms"))),
                    sig(median(col(name, "rss_mb"))),
                    sig(median(col(name, "bytes")) / 1e6),
                ]
                rows.append(row)
            blocks += [
                f"N = {n} ({times} rounds, medians)",
                "",
                table(
                    [
                        "subject",
                        "save ms",
                        "load ms",
                        "load / JSON+dict",
                        "us first",
                        "us middle",
                        "us last",
                        "middle / JSON+dict",
                        "miss ms",
                        "RSS MB",
                        "file MB",
                    ],
                    rows,
                ),
                "",
            ]
            for name, lines in failed.items():
                why = next((l for l in reversed(lines) if "Error" in l), lines[-1])
                blocks += [f"{name} failed at N = {n}: `{why.strip()[:300]}`", ""]
                data.setdefault("failed", {})[f"{name} {n}"] = why
    finish(args, data, "\n".join(blocks))


if __name__ == "__main__":
    main()
