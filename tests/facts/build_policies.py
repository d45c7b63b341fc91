"""Compile the system policies and the denials from sources/permissions and sources/errors.

`system_policies.json`: name -> scope, type, depends, document. `denials.json`: what each service answers to a missing
permission; codes, statuses and messages come from denied_errors.yaml (Ecs.0110: from the error catalogue); which one
a service answers with is chosen in CHOICES, with the reason.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Body shapes of the services, by a number of their own.
SHAPES: dict[str, object] = {
    "1": {"error_msg": "{message}", "error_code": "{code}", "request_id": "{request_id}"},
    "2": {"error_msg": "{message}", "error_code": "{code}"},
    "3": {"error": {"message": "{message}", "code": "{code}"}},
    "6": {"error": {"error_msg": "{message}", "error_code": "{code}"}},
    "7": {"code": "{code}", "message": "{message}"},
    "8": {"request_id": "{request_id}", "code": "{code}", "message": "{message}"},
    "9": {"error": {"message": "{message}", "code": 403, "title": "Forbidden"}},
    "13": {"errorMessage": "{message}", "errorCode": "{code}"},
    "15": {"errCode": "{code}", "errMsg": "{message}"},
    "17": {
        "error_msg": "{message}",
        "error_code": "{code}",
        "request_id": "{request_id}",
        "encoded_authorization_message": "{encoded}",
    },
    "ces": {"http_code": "403", "message": {"details": "{message}", "code": "{code}"}},
}
_GENERAL = "Pdp.0001"  # the wording of the policy decision point, where a service's own text was not recorded
# service -> (code, shape, why this one). A code without a recorded message gets the general wording.
CHOICES: dict[str, tuple[str, str, str]] = {
    "default": (_GENERAL, "3", "the policy decision point's own code; seen live from ECS and RDS"),
    "ecs": ("Ecs.0110", "3", "the guide's literal answer"),
    "as": ("AS.0031", "3", "shape as the Terraform provider reads it"),
    "bms": ("BMS.0288", "3", "fine-grained denial"),
    "evs": ("EVS.2056", "3", "fine-grained denial"),
    "ims": ("IMG.0026", "3", "the only denial of its table"),
    "vpc": ("VPC.2201", "7", "fine-grained denial"),
    "eip": ("VPC.2201", "7", "EIP's table has VPC's codes"),
    "elb": ("ELB.9802", "1", "fine-grained denial"),
    "nat": ("SYS.0403", "1", "code seen live; text of the documented SYS.0403"),
    "dns": ("DNS.1802", "7", "fine-grained denial"),
    "iam": ("IAM.0003", "2", "fine-grained denial"),
    "sts": ("PAP5.0001", "17", "identity policies only"),
    "tms": ("TMS.2030", "6", "fine-grained denial"),
    "eps": ("EPS.0039", "6", "fine-grained denial"),
    "rds": ("DBS.200044", "2", "the denial of RDS's own table"),
    "dds": ("DBS.280063", "2", "fine-grained denial"),
    "kms": ("KMS.0307", "6", "the denial that asks for a KMS permission"),
    "kps": ("KPS.9003", "2", "the only denial of its table"),
    "csms": ("CSMS.0302", "2", "the only denial of its table"),
    "smn": ("SMN.00308", "8", "fine-grained denial"),
    "cts": ("CTS.0013", "2", "permission, not authentication"),
    "dcs": ("DCS.2007", "2", "fine-grained denial"),
    "lts": ("LTS.0003", "2", "the only denial of its table"),
    "cce": ("CCE.01403001", "13", "the only text of its table"),
    "ces": ("403", "ces", "body as documented"),
    "cbr": ("BackupService.0403", "2", "code seen live"),
    "sfsturbo": ("SFS.TURBO.0015", "15", "the only denial of its table"),
    "functiongraph": ("FSS.1126", "2", "calls of the API"),
    "apig": ("APIG.1119", "2", "fine-grained denial"),
    "rms": ("RMS.00010006", "2", "fine-grained denial"),
    "swr": ("SVCSTG.SWR.4039002", "2", "the only denial of its table"),
    "vpcep": ("EndPoint.0004", "3", "the only denial of its table"),
    "vpn": ("VPN.0003", "2", "seen live: 401"),
    "hss": ("common.01010013", "2", "code seen live"),
    "waf": ("WAF.00012006", "2", "code seen live"),
    "cfw": ("00000010", "2", "code seen live"),
    "obs": ("AccessDenied", "xml", "XML body"),
}
# service -> path prefix -> (code, shape): parts of an API with another form.
PATHS: dict[str, dict[str, tuple[str, str]]] = {
    "vpc": {"/v3/": ("VPC.2201", "1")},
    "eip": {"/v3/": ("VPC.2201", "1")},
    "iam": {"/v5/": ("PAP5.0001", "17"), "/v3/": ("IAM.0003", "9"), "/v3.0/": ("IAM.0003", "2")},
}
_HOLES = re.compile(r"%\(actions\)s|%s|\{0?\}|<x:x:x>|xxx\.?\.\.xxx|\bxxx\b|\b[a-z]+:[A-Za-z]+:[A-Za-z]+\b")
_CLEAN = {'perform this " + "operation': "perform this operation"}  # a string of source code that came into the page


def read(path: Path) -> dict | list:
    """One fact file."""
    return yaml.load(path.read_text(encoding="utf-8"), _LOADER)


def message(text: str | None, code: str, general: str) -> str:
    """The message with {action} where the action stands."""
    if text is None:
        return general
    for wrong, right in _CLEAN.items():
        text = text.replace(wrong, right)
    if code == "PAP5.0001":
        return "access denied: {wording}"
    filled = _HOLES.sub("{action}", text)
    return f"{filled} {{action}}" if filled.endswith("permission is:") else filled


def denials(facts: Path) -> dict[str, object]:
    """Everything of denials.json."""
    rows = read(facts / "permissions" / "denied_errors.yaml")["errors"]
    ecs = {row["code"]: row for row in read(facts / "errors" / "ecs.yaml")}
    by_code: dict[str, dict] = {}
    for row in rows:
        if row["code"] not in by_code or (by_code[row["code"]]["message"] is None and row["message"]):
            by_code[row["code"]] = row
    guide = ecs["Ecs.0110"]
    by_code["Ecs.0110"] = {"http": guide["status"], "message": guide["messages"][0], "source": guide["also"][-1]}
    general = message(by_code[_GENERAL]["message"], _GENERAL, "")

    def entry(code: str, shape: str, why: str = "") -> dict[str, object]:
        row = by_code[code]
        made = {"status": row["http"], "code": code, "message": message(row["message"], code, general), "shape": shape}
        extra = {"request_id_header": "x-obs-request-id"} if shape == "xml" else {}
        plain = {"identity_wording": False} if shape in ("xml", "17") else {}
        return {**made, **extra, **plain, "source": row["source"], **({"why": why} if why else {})}

    services = {name: entry(*choice) for name, choice in CHOICES.items()}
    for name, paths in PATHS.items():
        services[name]["paths"] = {prefix: entry(*choice) for prefix, choice in paths.items()}
    wordings = [row for row in rows if row["kind"] == "identity policy denial" and "iam_01_1233" in row["source"]]
    identity = {("explicit" if "explicit" in row["message"] else "implicit"): _wording(row) for row in wordings}
    return {"shapes": SHAPES, "identity_policy": identity, "services": services}


def _wording(row: dict) -> dict[str, str]:
    text = re.sub(r"User: xxx ", "User: {user} ", " ".join(row["message"].split()))
    text = re.sub(r"ecs:cn-north-5:y+:instance:z+", "{resource}", text).replace("ecs:cloudServers:get", "{action}")
    return {"message": text, "source": row["source"]}


def system_policies(facts: Path) -> dict[str, object]:
    """Everything of system_policies.json."""
    kept = ("scope", "type", "depends", "document", "note", "document_source")
    rows = read(facts / "permissions" / "system_policies.yaml")["policies"]
    return {"policies": {row["name"]: {key: row[key] for key in kept if row.get(key)} for row in rows}}


def files(sources: Path) -> dict[str, str]:
    """system_policies.json and denials.json."""
    made = {"system_policies.json": system_policies(sources), "denials.json": denials(sources)}
    return {name: json.dumps(data, ensure_ascii=False, indent=1) + "\n" for name, data in made.items()}
