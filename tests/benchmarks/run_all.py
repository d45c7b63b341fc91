"""Run every benchmark one after the other (never two at once) and gather the tables in summary.md.

--only 3,7      some of them         --subject NAME  passed on         --quick  a smoke run of all
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from common import HERE, RESULTS

STEPS = [
    ("1", ["bench1_startup.py"]),
    ("2a", ["bench2_pertest.py", "--part", "a", "--json", str(RESULTS / "bench2_pertest-a.json")]),
    ("2b", ["bench2_pertest.py", "--part", "b", "--json", str(RESULTS / "bench2_pertest-b.json")]),
    ("3", ["bench3_cassette.py"]),
    ("3big", ["bench3_cassette.py", "--sizes", "10000"]),
    ("3polls", ["bench3_cassette.py", "--polls"]),
    ("3parsers", ["bench3_cassette.py", "--parsers"]),
    ("4", ["bench4_signing.py"]),
    ("5", ["bench5_policy.py"]),
    ("6", ["bench6_xdist.py"]),
    ("7", ["bench7_call.py"]),
    ("8", ["bench8_needs.py"]),
    ("9", ["bench9_children.py"]),
    ("10", ["bench10_scale.py"]),
]


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--only", help="comma-separated steps: " + ", ".join(n for n, _ in STEPS))
    ap.add_argument("--subject", action="append")
    ap.add_argument("--quick", action="store_true")
    args = ap.parse_args()
    only = args.only.split(",") if args.only else None
    failed = []
    texts = []
    for name, argv in STEPS:
        if only and name not in only and name.rstrip("abcdefghijklmnopqrstuvwxyz") not in only:
            continue
        more = ["--quick"] if args.quick else []
        if name not in ("3polls", "3parsers", "8", "9", "10"):
            more += [x for s in args.subject or () for x in ("--subject", s)]
        print(f"== {name}: {' '.join(argv + more)}", flush=True)
        t = time.monotonic()
        done = subprocess.run(
            [sys.executable, str(HERE / argv[0]), *argv[1:], *more], stdout=subprocess.PIPE, text=True
        )  # in the caller's folder: its adapter is found from there
        print(
            done.stdout, f"-- {name}: {time.monotonic() - t:.0f} s, exit status {done.returncode}", sep="\n", flush=True
        )
        if done.returncode:
            failed.append(name)
        texts.append(done.stdout)
    if not args.quick and not only:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "summary.md").write_text("\n\n".join(texts))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
