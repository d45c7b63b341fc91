"""How each service words a missing permission: status, body shape, code, message; sources in facts/denials.json."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.wire import Answer, Refusal, json_answer
from pytest_hwcloud.gates import refusals

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call

_FILE = Path(__file__).parents[1] / "cloud" / "facts" / "denials.json"
_REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden"}


@cache
def _facts() -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    data: dict[str, dict[str, dict[str, object]]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return data


class Ground(NamedTuple):
    """Why a caller is refused.

    explicit: by a Deny statement. grammar "5.0": by identity policies, which are refused in different words.
    resource: as those words name it.
    """

    explicit: bool = False
    grammar: str = "1.1"
    resource: str | None = None


_NO_ALLOW = Ground()


def denial(
    call: Call,
    action: str,
    *,
    request_id: str,
    identity: Identity,
    ground: Ground = _NO_ALLOW,
) -> Refusal:
    """The answer of the called service to a caller without this permission."""
    entry = _entry(call)
    worded = _identity_wording(action, identity, ground)
    by_identity_policy = ground.grammar == "5.0" and bool(entry.get("identity_wording", True))
    message = worded if by_identity_policy else str(entry["message"])
    values = {
        "action": action,
        "request_id": request_id,
        "resource": _path(call),
        "wording": worded,
        "encoded": _encoded(worded),
        "code": str(entry["code"]),
    }
    values["message"] = _fill(message, values)
    status = 403 if by_identity_policy else int(str(entry["status"]))
    headers = {str(entry.get("request_id_header", "X-Request-Id")): request_id}
    if entry["shape"] == "xml":
        answer = _xml(status, values, headers, call.method)
    else:
        shape = _facts()["shapes"][str(entry["shape"])]
        answer = json_answer(status, _body(shape, values), headers, _REASONS.get(status, ""))
    return Refusal(
        *refusals.whole(answer),
        gate="authorization",
        kind="permission-denied",
        code=values["code"],
        message=values["message"],
        request_id=request_id,
        actions=(action,) if action in values["message"] else (),
    )


def _entry(call: Call) -> Mapping[str, object]:
    """The row of the service; of its rows for one part of the API the one whose path begins the call's path."""
    rows = _facts()["services"]
    entry = rows.get(call.service or "", rows["default"])
    parts = entry.get("paths", {})
    if isinstance(parts, Mapping):
        for prefix, row in parts.items():
            if call.template.startswith(prefix):
                return {**entry, **row}
    return entry


def _identity_wording(action: str, identity: Identity, ground: Ground) -> str:
    texts = _facts()["identity_policy"]
    user = f"iam::{identity.domain_id}:user:{identity.user}"
    values = {"user": user, "action": action, "resource": ground.resource or "*"}
    return _fill(str(texts["explicit" if ground.explicit else "implicit"]["message"]), values)


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _path(call: Call) -> str:
    return call.template.replace("{project_id}", call.project or "{project_id}")


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _body(shape: object, values: Mapping[str, str]) -> object:
    match shape:
        case Mapping():
            return {key: _body(item, values) for key, item in shape.items()}
        case str():
            return _fill(shape, values)
        case _:
            return shape


def _xml(status: int, values: Mapping[str, str], headers: dict[str, str], method: str) -> Answer:
    merged = {"Server": "OBS", "Content-Type": "application/xml", **headers}
    body = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f"<Error><Code>{values['code']}</Code><Message>{values['message']}</Message>"
        f"<RequestId>{values['request_id']}</RequestId></Error>"
    )
    return Answer(status, merged, b"" if method == "HEAD" else body.encode(), _REASONS.get(status, ""))
