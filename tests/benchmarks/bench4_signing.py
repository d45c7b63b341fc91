"""4. Signing: signatures per second, for bodies of 0, 1 KiB and 1 MiB and 0, 10 and 50 query parameters.

"all new": 2,000 requests whose path and query values differ from one another, so that no cache of quoted words helps.

--profile shows where the Huawei SDK's signer spends its time.
"""

from __future__ import annotations

import itertools

import signing_subjects
from common import choose, finish, machine, median, parser, ratio, repeat, sig, table, time_calls, versions


def profile() -> str:
    import cProfile
    import io
    import pstats

    out = []
    for body, params, n in ((0, 0, 20000), (0, 10, 5000), (1024, 50, 1500)):
        s = signing_subjects.HuaweiSdk()
        native = s.prepare(signing_subjects.spec(body, params))
        pr = cProfile.Profile()
        pr.enable()
        for _ in range(n):
            s.sign(native)
        pr.disable()
        buf = io.StringIO()
        pstats.Stats(pr, stream=buf).strip_dirs().sort_stats("tottime").print_stats(13)
        rows = [l for l in buf.getvalue().splitlines() if l.strip()]
        out.append(f"body {body}, {params} parameters, {n} signatures\n```\n" + "\n".join(rows) + "\n```\n")
    return "\n".join(out)


def main() -> None:
    ap = parser(__doc__, "bench4_signing")
    ap.add_argument("--profile", action="store_true")
    args = ap.parse_args()
    signing_subjects.check()
    if args.profile:
        print(profile())
        return
    rounds = 1 if args.quick else args.rounds or 9
    subjects = choose(
        args,
        signing_subjects.REGISTRY,
        always=("Huawei SDK", "botocore SigV4", "limit: lean signer", "limit: digests only"),
    )
    data = {
        "machine": machine(),
        "versions": versions("huaweicloudsdkcore", "botocore", "requests-aws4auth"),
        "cells": {},
    }
    out = [
        "### 4. Signing",
        "",
        f"{rounds} interleaved rounds; signatures per second (median), and time per signature / the two limits.",
        "",
    ]
    rows = []
    cells = [(body, params, False) for body in (0, 1 << 10, 1 << 20) for params in (0, 10, 50)] + [
        (0, 10, True),
        (0, 50, True),
    ]
    for body, params, fresh in cells:
        specs = (
            [signing_subjects.spec(body, params, i) for i in range(2000)]
            if fresh
            else [signing_subjects.spec(body, params)]
        )
        cases = {}
        for name, s in subjects.items():
            pool = itertools.cycle([s.prepare(x) for x in specs])
            cases[name] = repeat(lambda sign=s.sign, pool=pool: sign(next(pool)))
        t = time_calls(cases, rounds=rounds, batch_s=0.03)
        label = f"{params}, all new" if fresh else params
        data["cells"][f"{body}/{label}"] = t
        for name, v in t.items():
            rows.append(
                [
                    f"{body:,}",
                    label,
                    name,
                    sig(1 / median(v)),
                    sig(median(v) * 1e6),
                    sig(ratio(v, t["limit: digests only"])),
                    sig(ratio(v, t["limit: lean signer"])),
                    sig(ratio(v, t["Huawei SDK"])),
                ]
            )
    out.append(table(["body", "params", "signer", "per second", "us", "/ digests only", "/ lean", "/ SDK"], rows))
    finish(args, data, "\n".join(out))


if __name__ == "__main__":
    main()
