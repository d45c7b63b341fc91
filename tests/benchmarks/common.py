"""Shared pieces of the benchmark harness: timing, interleaving, ratios, tables.

Rules every script here follows
* Everything that is compared is measured in the same run, interleaved
  (A B C, B C A, C A B, ...), so that a drift of the machine hits all subjects.
* A ratio is taken round by round and the median of those ratios is quoted;
  it is never the quotient of two figures from different runs.
* Medians are quoted with their minimum and maximum.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = Path(os.environ.get("BENCH_RESULTS", tempfile.gettempdir() + "/hwcloud-bench-results"))


class Unavailable(Exception):
    """A subject that cannot be measured here, with the reason."""


# --------------------------------------------------------------------------- who else was busy
def _busy() -> tuple[float, float, float]:
    """Clock, CPU seconds of the whole machine, CPU seconds of this process and its finished children."""
    machine_s = 0.0
    with contextlib.suppress(OSError, ValueError):
        f = [float(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        machine_s = (sum(f) - f[3] - f[4]) / os.sysconf("SC_CLK_TCK")  # all but idle and iowait; steal counts as busy
    own = sum(sum(resource.getrusage(w)[:2]) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return time.monotonic(), machine_s, own


_BEGAN = _busy()


def contention() -> dict[str, float]:
    """How much of the machine's processors others used while this script ran."""
    t0, m0, o0 = _BEGAN
    t1, m1, o1 = _busy()
    span = max(1e-9, (t1 - t0) * (os.cpu_count() or 1))
    return {
        "seconds": round(t1 - t0, 1),
        "own_share": round((o1 - o0) / span, 3),
        "others_share": round(max(0.0, (m1 - m0) - (o1 - o0)) / span, 3),
    }


# --------------------------------------------------------------------------- statistics
def median(xs: Iterable[float]) -> float:
    return statistics.median(list(xs))


def spread(xs: list[float], unit: float = 1.0, digits: int = 3) -> str:
    """'median (min-max)' in the given unit (a divisor)."""
    xs = [x / unit for x in xs]
    if not xs:
        return "-"
    return f"{sig(median(xs), digits)} ({sig(min(xs), digits)}-{sig(max(xs), digits)})"


def sig(x: float, digits: int = 3) -> str:
    """A number to `digits` significant digits without exponents."""
    if x == 0:
        return "0"
    if x != x:
        return "nan"
    from math import floor, log10

    places = max(0, digits - 1 - floor(log10(abs(x))))
    return f"{x:,.{min(places, 6)}f}"


def ratios(a: list[float], b: list[float]) -> list[float]:
    """Round-by-round a/b of two interleaved series."""
    return [x / y for x, y in zip(a, b, strict=False) if y]


def ratio(a: list[float], b: list[float]) -> float:
    """The median of the round-by-round ratios."""
    rs = ratios(a, b)
    return median(rs) if rs else float("nan")


def best(a: list[float], b: list[float]) -> float:
    """The ratio of the two minima: what is left when the noise of other work is taken off both (a cross-check, not the figure to quote)."""
    return min(a) / min(b) if a and b and min(b) > 0 else float("nan")


# --------------------------------------------------------------------------- whole processes
def run_process(
    argv: list[str],
    *,
    cwd: str | Path | None = None,
    env: dict[str, str] | None = None,
    timeout: float = 170.0,
    expect: tuple[int, ...] = (0,),
    must_print: str | None = None,
) -> dict[str, float]:
    """Run one process to its end; wall and CPU seconds and peak memory from the kernel's own accounting."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        proc = subprocess.Popen(argv, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        killed = threading.Event()

        def stop() -> None:
            killed.set()
            with contextlib.suppress(ProcessLookupError):
                proc.kill()

        timer = threading.Timer(timeout, stop)
        timer.daemon = True
        timer.start()
        try:
            _, status, usage = os.wait4(proc.pid, 0)
        finally:
            timer.cancel()
        wall = time.perf_counter() - start
        proc.returncode = os.waitstatus_to_exitcode(status)  # Popen must not wait a second time
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    if killed.is_set():
        raise RuntimeError(f"timed out after {timeout}s: {' '.join(map(str, argv))}\n{text[-1500:]}")
    if proc.returncode not in expect:
        raise RuntimeError(f"exit status {proc.returncode}: {' '.join(map(str, argv))}\n{text[-3000:]}")
    if must_print and must_print not in text:
        raise RuntimeError(f"{must_print!r} not in the output of {' '.join(map(str, argv))}\n{text[-3000:]}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss_mb": usage.ru_maxrss / 1024, "out": text}


def interleave(
    cases: dict[str, Callable[[], dict[str, float]]], rounds: int, warmup: int = 1, progress: bool = True
) -> dict[str, list[dict[str, float]]]:
    """Each case once per round, the order rotated by one each round; warm-up rounds are thrown away."""
    names = list(cases)
    out: dict[str, list[dict[str, float]]] = {n: [] for n in names}
    for r in range(-warmup, rounds):
        k = r % len(names)
        for name in names[k:] + names[:k]:
            sample = cases[name]()
            sample.pop("out", None)
            if r >= 0:
                out[name].append(sample)
        if progress:
            print(f"  round {r + 1}/{rounds}", file=sys.stderr, flush=True)
    return out


def pluck(samples: list[dict[str, float]], key: str) -> list[float]:
    return [s[key] for s in samples]


# --------------------------------------------------------------------------- calls inside one process
def time_calls(
    cases: dict[str, Callable[[int], Any]], rounds: int = 7, batch_s: float = 0.04, max_loops: int = 2_000_000
) -> dict[str, list[float]]:
    """Seconds per call. Each case is a function f(loops) that does the work `loops` times.

    The number of loops is calibrated once so that a batch takes about batch_s.
    """
    loops: dict[str, int] = {}
    for name, f in cases.items():
        n = 1
        while True:
            t = time.perf_counter()
            f(n)
            t = time.perf_counter() - t
            if t >= batch_s / 4 or n >= max_loops:
                break
            n = min(max_loops, n * 4)
        loops[name] = max(1, min(max_loops, int(n * batch_s / max(t, 1e-9))))
    names = list(cases)
    out: dict[str, list[float]] = {n: [] for n in names}
    was = gc.isenabled()
    gc.disable()
    try:
        for r in range(rounds):
            k = r % len(names)
            for name in names[k:] + names[:k]:
                gc.collect()
                n = loops[name]
                t = time.perf_counter()
                cases[name](n)
                out[name].append((time.perf_counter() - t) / n)
    finally:
        if was:
            gc.enable()
    return out


def repeat(fn: Callable[[], Any]) -> Callable[[int], None]:
    def batch(loops: int) -> None:
        for _ in range(loops):
            fn()

    return batch


# --------------------------------------------------------------------------- report
def table(headers: list[str], rows: list[list[Any]]) -> str:
    rows = [[str(c) for c in r] for r in rows]
    widths = [max(len(h), *(len(r[i]) for r in rows)) if rows else len(h) for i, h in enumerate(headers)]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=False)) + " |"

    return "\n".join([line(headers), "|" + "|".join("-" * (w + 2) for w in widths) + "|", *map(line, rows)])


def machine() -> dict[str, Any]:
    """What ran and how fast two fixed jobs were just now (to recognise a slow moment)."""
    blob = b"x" * (1 << 20)
    t = time.perf_counter()
    for _ in range(20):
        hashlib.sha256(blob).digest()
    sha = 20 / (time.perf_counter() - t)
    t = time.perf_counter()
    s = 0
    for i in range(2_000_000):
        s += i & 7
    loop = 2.0 / (time.perf_counter() - t)
    cpu = ""
    with contextlib.suppress(OSError):
        for row in Path("/proc/cpuinfo").read_text().splitlines():
            if row.startswith("model name"):
                cpu = row.split(":", 1)[1].strip()
                break
    return {
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "cpu": cpu,
        "kernel": platform.release(),
        "sha256_MiB_per_s": round(sha),
        "python_Mloops_per_s": round(loop, 1),
        "load1": os.getloadavg()[0],
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def versions(*dists: str) -> dict[str, str]:
    from importlib import metadata

    out = {}
    for d in dists:
        with contextlib.suppress(metadata.PackageNotFoundError):
            out[d] = metadata.version(d)
    return out


def parser(doc: str | None, name: str) -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument(
        "--subject",
        action="append",
        metavar="NAME",
        help="measure only this subject and the references it is compared with (repeatable); "
        "'hwcloud' is the plugin itself, taken from hwcloud_adapter.py",
    )
    p.add_argument("--rounds", type=int, default=None, help="counted rounds of every subject")
    p.add_argument(
        "--json", metavar="FILE", default=str(RESULTS / f"{name}.json"), help="where to write the raw figures"
    )
    p.add_argument("--quick", action="store_true", help="a smoke run: tiny sizes, one round, nothing to quote")
    return p


def choose(
    args: argparse.Namespace, registry: dict[str, Callable[[], Any]], always: Iterable[str] = ()
) -> dict[str, Any]:
    """Build the subjects asked for. Without --subject: every one that is available here."""
    always = list(always)
    wanted = list(registry) if not args.subject else [n for n in registry if n in always or n in args.subject]
    for name in args.subject or ():
        if name not in registry:
            sys.exit(f"unknown subject {name!r}; there are: {', '.join(registry)}")
    out: dict[str, Any] = {}
    for name in wanted:
        try:
            out[name] = registry[name]()
        except Unavailable as why:
            if args.subject and name in args.subject:
                sys.exit(f"subject {name!r} is not available: {why}")
            print(f"  (left out: {name}: {why})", file=sys.stderr)
    return out


def finish(args: argparse.Namespace, data: dict[str, Any], text: str) -> None:
    data["contention"] = c = contention()
    m = data.get("machine", {})
    text += (
        f"\n\n({m.get('when', '')}; Python {m.get('python', '?')}, {m.get('cpus', '?')} processors; {c['seconds']} s, of which this script used "
        f"{c['own_share']:.0%} of the processors and others {c['others_share']:.0%}; sha256 {m.get('sha256_MiB_per_s', '?')} MiB/s, "
        f"loop {m.get('python_Mloops_per_s', '?')} M/s at the start)"
    )
    print(text)
    if args.json and not args.quick:
        path = Path(args.json)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")
        path.with_suffix(".md").write_text(text + "\n")
        print(f"(raw figures: {path})", file=sys.stderr)


@contextlib.contextmanager
def workdir(prefix: str) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix=f"bench-{prefix}-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


FILLERS = 60


def pytest_env(**extra: str) -> dict[str, str]:
    """The environment of every measured process: the same everywhere, no autoloaded plugins.

    requests walks through all environment variables several times for each
    request (proxies), so their number is part of what is measured: it is fixed
    here, at about what a CI job has.
    """
    env = {
        k: os.environ[k]
        for k in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "HWCLOUD_BENCH_ADAPTER")
        if k in os.environ
    }
    env.update({f"BENCH_FILLER_{i:02d}": "some value of an ordinary length" for i in range(FILLERS)})
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    env["PYTHONHASHSEED"] = "0"
    env.update(extra)
    return env


def has(module: str) -> None:
    """Raise Unavailable unless `module` can be imported (without importing it)."""
    import importlib.util

    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise Unavailable(f"{module} is not installed")
