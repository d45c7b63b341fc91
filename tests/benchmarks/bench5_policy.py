"""5. Policy evaluation: decisions per second for policies of 10, 100 and 1,000 statements with wildcards.

No Huawei Cloud peer is known; the peer is moto's IAM evaluation (moto.iam.access_control.IAMPolicy), which
* moto (as it is used): builds IAMPolicy from the JSON text for each request, then decides;
* moto (kept): the IAMPolicy is built once.
The limits: a dict of decisions made before, a set of exact (action, resource) pairs, one precompiled regular expression.

All subjects must give the same answers (deny wins, then allow, then the implicit deny) - checked before timing.
"""

from __future__ import annotations

import itertools
import json
import re

import plugin_subject
from common import choose, finish, has, machine, median, parser, ratio, repeat, sig, table, time_calls, versions

SERVICES = [
    "ecs",
    "evs",
    "vpc",
    "obs",
    "iam",
    "rds",
    "cce",
    "elb",
    "ims",
    "smn",
    "dns",
    "kms",
    "lts",
    "ces",
    "swr",
    "nat",
    "sfs",
    "dcs",
    "dds",
    "as",
]
KINDS = ["servers", "volumes", "vpcs", "subnets", "bucket", "users", "instances", "clusters", "images", "topics"]
VERBS = ["list", "get", "create", "delete", "update", "attach", "detach", "resize"]


def document(n: int) -> dict:
    """A policy in Huawei Cloud's syntax, with exact actions, wildcards at the end and inside, some denies."""
    out = []
    for i in range(n):
        s, k, v = SERVICES[i % 20], KINDS[(i // 20) % 10], VERBS[(i // 7) % 8]
        effect = "Deny" if i % 10 == 9 else "Allow"
        kind = i % 4
        if kind == 0:
            action, resource = [f"{s}:{k}:{v}", f"{s}:{k}:get"], [f"{s.upper()}:*:*:{k}:*"]
        elif kind == 1:
            action, resource = [f"{s}:{k}{i}:*"], ["*"]
        elif kind == 2:
            action, resource = [f"{s}:*:{v}{i}"], [f"{s.upper()}:*:*:{k}:name-{i}-*"]
        else:
            action, resource = [f"{s}:{k}:{v}"], [f"{s.upper()}:*:*:{k}:name-{i}"]
        out.append({"Effect": effect, "Action": action, "Resource": resource})
    return {"Version": "1.1", "Statement": out}


def questions(n: int, m: int = 300) -> list[tuple[str, str]]:
    """Some that hit early, some late, some only a wildcard, some nothing."""
    out = []
    for j in range(m):
        i = (j * 7919) % n
        s, k, v = SERVICES[i % 20], KINDS[(i // 20) % 10], VERBS[(i // 7) % 8]
        w = j % 5
        if w == 0:
            out.append((f"{s}:{k}:{v}", f"{s.upper()}:*:*:{k}:abc{j}"))
        elif w == 1:
            out.append((f"{s}:{k}{i}:{v}", f"{s.upper()}:*:*:{k}:abc{j}"))
        elif w == 2:
            out.append((f"{s}:{k}:{v}{i}", f"{s.upper()}:*:*:{k}:name-{i}-x{j}"))
        elif w == 3:
            out.append((f"{s}:{k}:{v}", f"{s.upper()}:*:*:{k}:name-{i}"))
        else:
            out.append((f"{s}:nothing:{v}", f"{s.upper()}:*:*:nothing:x{j}"))
    return out


class Moto:
    def __init__(self, keep: bool) -> None:
        has("moto")
        has("botocore")
        self.keep = keep

    def build(self, doc: dict):
        from moto.iam.access_control import IAMPolicy, PermissionResult

        text = json.dumps(doc)
        yes = PermissionResult.PERMITTED
        if self.keep:
            policy = IAMPolicy(text)
            return lambda action, resource: policy.is_action_permitted(action, resource) is yes
        return lambda action, resource: IAMPolicy(text).is_action_permitted(action, resource) is yes


class Regexes:
    """One compiled pattern for each statement, tried in turn: the straightforward good implementation."""

    def build(self, doc: dict):
        def glob(ps):
            return re.compile(
                "(?:" + "|".join("".join(".*" if c == "*" else re.escape(c) for c in p) for p in ps) + ")\\Z"
            ).match

        rules = [(s["Effect"] == "Deny", glob(s["Action"]), glob(s["Resource"])) for s in doc["Statement"]]

        def decide(action: str, resource: str) -> bool:
            ok = False
            for deny, a, r in rules:
                if a(action) and r(resource):
                    if deny:
                        return False
                    ok = True
            return ok

        return decide


class Compiled:
    def __init__(self, memo: bool) -> None:
        self.memo = memo

    def build(self, doc: dict):
        import proto

        p = proto.CompiledPolicy(doc)
        return p.allowed if self.memo else p.allowed_cold


class DictLookup:
    """PHYSICAL LIMIT: the answer to each question is in a dict."""

    def build(self, doc: dict):
        import proto

        p = proto.CompiledPolicy(doc)
        known = {q: p.allowed_cold(*q) for q in questions(len(doc["Statement"]))}

        def decide(action: str, resource: str) -> bool:
            return known[action, resource]

        return decide


class OneRegex:
    """LIMIT: one precompiled expression of all allow patterns (no deny, no answer checked)."""

    partial = True

    def build(self, doc: dict):
        import proto

        pats = [a + "\n" + r for s in doc["Statement"] for a in s["Action"] for r in s["Resource"]]
        match = re.compile("(?:" + proto._glob(pats) + ")\\Z", re.S).match

        def decide(action: str, resource: str) -> bool:
            return match(action + "\n" + resource) is not None

        return decide


REGISTRY = {
    "moto (as it is used)": lambda: Moto(False),
    "moto (kept)": lambda: Moto(True),
    "compiled pattern each": Regexes,
    "limit: compiled index, cold": lambda: Compiled(False),
    "limit: compiled index, memo": lambda: Compiled(True),
    "limit: one regex": OneRegex,
    "limit: dict lookup": DictLookup,
    "hwcloud": plugin_subject.policy,
}


def main() -> None:
    ap = parser(__doc__, "bench5_policy")
    ap.add_argument("--sizes", default="10,100,1000")
    args = ap.parse_args()
    sizes = [10] if args.quick else [int(x) for x in args.sizes.split(",")]
    rounds = 1 if args.quick else args.rounds or 5
    subjects = choose(
        args,
        REGISTRY,
        always=("moto (as it is used)", "moto (kept)", "limit: compiled index, cold", "limit: dict lookup"),
    )
    data = {"machine": machine(), "versions": versions("moto"), "cells": {}}
    rows = []
    for n in sizes:
        doc, qs = document(n), questions(n)
        built = {}
        build_s = {}
        for name, s in subjects.items():
            built[name] = s.build(doc)
        want = [built["moto (kept)"](*q) for q in qs]
        assert any(want) and not all(want)
        for name, decide in built.items():
            if not getattr(subjects[name], "partial", False):
                assert [decide(*q) for q in qs] == want, (
                    f"{name} disagrees at {n}: {[q for q, w in zip(qs, want, strict=False) if decide(*q) != w][:3]}"
                )
        cases = {}
        for name, decide in built.items():
            pool = itertools.cycle(qs)
            cases[name] = repeat(lambda decide=decide, pool=pool: decide(*next(pool)))
        t = time_calls(cases, rounds=rounds, batch_s=0.1)
        text = json.dumps(doc)
        build_s = (
            time_calls(
                {
                    name: repeat(lambda s=s: (re.purge(), s.build(json.loads(text))))
                    for name, s in subjects.items()
                    if name != "limit: dict lookup"
                },
                rounds=3,
                batch_s=0.03,
            )
            if n <= 1000
            else {}
        )
        data["cells"][str(n)] = {"decide": t, "build": build_s}
        for name, v in t.items():
            rows.append(
                [
                    n,
                    name,
                    sig(1 / median(v)),
                    sig(median(v) * 1e6),
                    sig(ratio(v, t["moto (kept)"])),
                    sig(ratio(v, t["moto (as it is used)"])),
                    sig(ratio(v, t["limit: compiled index, cold"])),
                    sig(ratio(v, t["limit: dict lookup"])),
                    sig(median(build_s[name]) * 1e3) if name in build_s else "-",
                ]
            )
    out = [
        "### 5. Policy evaluation",
        "",
        f"{rounds} interleaved rounds, 300 questions in turn; decisions per second (median).",
        "",
        table(
            [
                "statements",
                "subject",
                "per second",
                "us",
                "/ moto kept",
                "/ moto as used",
                "/ compiled cold",
                "/ dict",
                "build ms (re cache empty)",
            ],
            rows,
        ),
    ]
    finish(args, data, "\n".join(out))


if __name__ == "__main__":
    main()
