"""Compile sources/errors/*.yaml, and the denials that only sources/permissions lists, into the catalogue of codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from build_permissions import read

ROW_KEYS = ("code", "status", "messages", "layer", "kind", "cause", "remedy", "source")
VARIANT_KEYS = ("message", "status", "kind", "cause", "remedy", "pattern")

# The SDK's own refusals before any call: what they are about, not how they surface.
GATES = {
    "credential type error": "scope",
}
# Texts with placeholders that the facts give without a pattern.
PATTERNS = {
    ("PAP5.0001", 0): r"because no .{1,80} policy allows",
    ("PAP5.0001", 1): r"with an explicit deny in",
}
# Prefix of a code -> service, where it is not the prefix itself; null: shared by several services.
SERVICES = {
    "img": "ims", "pap5": "iam", "common": None, "pdp": None, "sys": None, "apigw": None, "apic": "roma",
    "backupservice": "cbr", "svcstg": "swr", "endpoint": "vpcep", "fss": "functiongraph", "dbs": "rds",
    "sfs": "sfsturbo", "kps": "kms", "csms": "kms", "rms": "config",
    "hostunreachableexception": None, "connectionexception": None, "sslhandshakeexception": None,
    "calltimeoutexception": None, "retryoutageexception": None, "credential type error": None,
    "failed to get project id": "iam", "no project id found": "iam", "multiple project ids found": "iam",
    "failed to get domain id": "iam", "unsupported region": None,
}  # fmt: skip
DENIED_CAUSE = "The service knows the caller, but the caller's roles or policies do not allow this operation."
DENIED_REMEDY = "Grant the service's permission to the caller in IAM and use a new token."


# Families and codes whose denials a grant in IAM lifts, beside those that the list of literal denials has.
POLICY_CODES = {"pdp.0001", "pap5.0001", "403"}


def is_policy(fact: dict, denials: dict[str, dict], family: str) -> bool:
    """Whether a grant would lift the denial; not for a gateway's own lists, and not for what nobody may do."""
    code = str(fact["code"]).lower()
    if fact["kind"] != "permission-denied" or fact["layer"] == "gateway":
        return False
    return code in denials or code in POLICY_CODES or family == "cross-service"


# Texts that this project words more exactly than the facts do: where several causes are open, all are named.
OWN = {
    ("APIGW.0101", None): (
        "No published API matches host, method and path; an empty or unreplaced project id in the path has the same "
        "effect.",
        "Check endpoint, region, method and path, and that the project id is really in the URL; the service may also "
        "not be offered in this region.",
    ),
    ("APIGW.0301", 8): (
        "The gateway does not say why: either AK or SK is wrong (or a placeholder), or a temporary key lacks its "
        "security token, or the call names no project.",
        "Check AK, SK, security token and project id together.",
    ),
    ("Ecs.0003", None): (
        "Either the account is restricted (unpaid balance, frozen), or the caller lacks a right.",
        "Check the balance and freeze state of the account first, then the IAM policies of the caller.",
    ),
    ("Ecs.0314", None): (
        "The key pair is not known for this user: a key pair belongs to the IAM user who made it.",
        "Use a key pair of the calling user, or call as the user who owns it (or with that user's AK/SK).",
    ),
    ("Ecs.0614", None): (
        "The server does not exist any more; often it was deleted by hand.",
        "Check the id, project and region, or drop it from your state.",
    ),
    ("VPC.2701", None): (
        "Either the token has no right to this operation, or the account is in arrears.",
        "Check the VPC role of the user first, then balance and freeze state.",
    ),
    ("IMG.0026", None): (
        "Either the caller lacks an IMS role, or real-name authentication is missing.",
        "Grant an IMS role with a new token, or complete real-name authentication.",
    ),
    ("AccessDenied", None): (
        "Access was refused: either no policy or ACL allows it, or the date header is missing or malformed, or the "
        "object is protected.",
        "Read the message, then check bucket policy, IAM policy and the date header.",
    ),
    ("ces.0017", None): (
        "Either the caller's policies do not allow the CES action, or the credentials are wrong: CES sends one "
        "code for both.",
        "See first whether the credentials work with another service; then grant the CES action and use a new token.",
    ),
}


def wording(fact: dict) -> tuple[str, str]:
    """Cause and remedy, with the two generic texts of the facts made the code's own."""
    cause, remedy, messages = (
        fact["cause"],
        fact["remedy"],
        fact["messages"] if "messages" in fact else [fact["message"]],
    )
    prefix = str(fact.get("code", "")).partition(".")[0]
    for name in ("DDS and RDS", "KMS and its siblings"):
        named = NAMES.get(prefix, prefix)
        cause, remedy = cause.replace(name, named), remedy.replace(name, named)
    if cause == "A value of the request breaks the rule that the message states." and messages:
        cause, remedy = (
            f"The request breaks this rule: {messages[0].rstrip('.')}.",
            "Correct that value and send the request again.",
        )
    if found := re.fullmatch(r"(?:Invalid|Wrong) input: (.+)\.", cause):
        cause, remedy = f"The {found[1]} in the request is not valid.", f"Correct the {found[1]}."
    return cause, remedy


NAMES = {"DBS": "The database service", "CSMS": "The secret service", "KPS": "The key pair service"}


def statuses(value: object) -> list[int]:
    return [] if value is None else value if isinstance(value, list) else [value]


def row(fact: dict, denials: dict[str, dict], family: str) -> dict:
    made = {key: fact[key] for key in ROW_KEYS} | {"code": str(fact["code"]), "status": statuses(fact["status"])}
    made["cause"], made["remedy"] = OWN.get((made["code"], None)) or wording(fact)
    if is_policy(fact, denials, family):
        made["policy"] = True
    gate = GATES.get(made["code"])
    if made["kind"] == "account-restricted" and made["code"].lower() in denials:
        gate = "authorization"  # documented among the denials too: account or permission, the text says which first
    variants = [
        {key: case[key] for key in VARIANT_KEYS if key in case}
        | {"status": statuses(case["status"])}
        | ({"pattern": pattern} if (pattern := PATTERNS.get((made["code"], number))) else {})
        | (dict(zip(("cause", "remedy"), own, strict=True)) if (own := OWN.get((made["code"], number))) else {})
        for number, case in enumerate(fact.get("variants") or [])
    ]
    return made | ({"gate": gate} if gate else {}) | ({"variants": variants} if variants else {})


def denied_row(fact: dict) -> dict:
    """A denial that only the list of literal denials has."""
    return {
        "code": fact["code"],
        "status": statuses(fact["http"]),
        "messages": [fact["message"]] if fact.get("message") else [],
        "layer": "authorization",
        "kind": "permission-denied",
        "cause": DENIED_CAUSE,
        "remedy": DENIED_REMEDY,
        "source": fact["source"],
        "policy": True,
    }


def tables(facts: Path) -> dict[str, dict[str, dict]]:
    """All families: name -> code in lower case -> row."""
    listed = read(facts / "permissions" / "denied_errors.yaml")["errors"]
    denials = {str(f["code"]).lower(): f for f in listed if f.get("code") and "." in str(f["code"])}
    made = {}
    for path in sorted((facts / "errors").glob("*.yaml")):
        entries = read(path)
        made[path.stem] = {str(fact["code"]).lower(): row(fact, denials, path.stem) for fact in entries}
    known = {code for table in made.values() for code in table}
    for code, fact in sorted(denials.items()):
        if code not in known:
            made["cross-service"][code] = denied_row(fact)
    return made


def index(made: dict[str, dict[str, dict]]) -> dict:
    """Which families may hold a code: by prefix; "" for names without a dot, "0000" for plain numbers."""
    prefixes: dict[str, list[str]] = {"": ["obs", "client-network"], "0000": ["iam"]}
    for family, table in made.items():
        for code in table:
            head, dot, _ = code.partition(".")
            if dot and family not in prefixes.setdefault(head, []):
                prefixes[head].append(family)
    prefixes["apic"] = ["apig"]
    return {"families": sorted(made), "prefixes": prefixes, "services": SERVICES, "aliases": {"apic": "apig"}}


def files(sources: Path) -> dict[str, str]:
    """errors/FAMILY.json, and errors/index.json that says which family may hold a code."""
    made = tables(sources)
    rows = {f"errors/{name}.json": table for name, table in made.items()} | {"errors/index.json": index(made)}
    return {name: json.dumps(rows[name], ensure_ascii=False, separators=(",", ":")) + "\n" for name in rows}
