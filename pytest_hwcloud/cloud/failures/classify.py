"""The gate and kind of a failure: from the catalogue, else from prefix, wording and status."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pytest_hwcloud.cloud.failures import codes
from pytest_hwcloud.cloud.failures.bodies import ErrorBody
from pytest_hwcloud.cloud.failures.failure import FailedCall, Failure

_ACTION = r"\[?([\w-]{1,64}:[\w-]{0,64}:[\w-]{1,128})\]?"
ACTION_WORDINGS = tuple(
    re.compile(wording, re.IGNORECASE)
    for wording in (
        rf"Policy (?:doesn['’]?t|does not) allow {_ACTION}",
        rf"is not authorized to perform:? ?(?:action )?{_ACTION}",
        rf"Insufficient authentication for action {_ACTION}",
        rf"The required permission is:? ?\*?{_ACTION}",
        rf"because no [\w -]{{1,60}} policy allows the {_ACTION} action",
        rf"You do not have following permission to perform this operation: ?{_ACTION}",
    )
)
_DENIALS = (
    r"polic(?:y|ies) (?:doesn['’]?t|does not|do not) allow|not authorized to perform|disallowed by policy"
    r"|(?:do|does)(?:n['’]?t| not) have (?:\w+ ){0,3}(?:permissions?|rights?|required roles?)|no \w+ permission"
    r"|no permissions?\b|permission denied|action forbidden|forbidden to perform|access denied|explicit deny"
    r"|no right to|lacks? (?:the )?permission|r(?:ole|bac) check fail"
    r"|insufficient (?:permission|authentication for action)"
    r"|not allowed to (?:do|perform) this|没有权限|无权限|权限不足"
)
_SCOPES = (
    r"(?:tenant|project)[ _]?id\w*\b.{0,60}\b(?:not (?:the )?(?:same|equal)|different|mismatch|does not match)"
    r"|urltenantid|token.{0,40}(?:does not match|not match|mismatch).{0,40}project"
    r"|project.{0,40}(?:not match|mismatch).{0,40}token"
)
_AUTHENTICATIONS = (
    r"signature (?:expired|does not match|mismatch)|verify (?:aksk )?signature|x-auth-token|decrypt token"
    r"|(?:invalid|wrong|illegal|expired) token|token (?:is |has |was )?(?:invalid|expired|expires|not valid|wrong|null)"
    r"|\bak \S{1,60} not exist|not authenticated|authentication (?:failed|failure|information|required)"
    r"|requires authentication|invalid (?:ak|sk|access key|credential)|username or password"
)
_WORDINGS = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (_DENIALS, "permission-denied"),
        (_SCOPES, "scope-mismatch"),
        (_AUTHENTICATIONS, "authentication"),
        (r"ratelimit|rate limit|flow (?:control|limit)|throttl|too many requests", "throttling"),
        (r"\bquota\b", "quota"),
    )
)
_STATUS_KINDS = {
    400: "invalid-parameter", 401: "authentication", 404: "not-found", 405: "unsupported", 408: "timeout",
    409: "conflict", 411: "invalid-parameter", 413: "invalid-parameter", 414: "invalid-parameter",
    415: "invalid-parameter", 422: "invalid-parameter", 429: "throttling", 431: "invalid-parameter",
    494: "invalid-parameter", 500: "internal", 501: "unsupported", 502: "dependency", 503: "dependency", 504: "timeout",
}  # fmt: skip
_UNKNOWN_CALLER = re.compile(
    r"x-auth-token\b.{0,40}\b(?:invalid|not found|missing|expired|empty|null)|(?:invalid|expired|missing) x-auth-token"
    r"|valid (?:Date|x-\w{3}-date)\b|requires? a valid date|(?:invalid|illegal|expired|wrong) token\b"
    r"|token (?:is |has |was )?(?:invalid|expired|not valid)|signature (?:does not|doesn't) match|not authenticated"
    r"|(?:access key|AK) (?:\S{1,60} )?(?:does not|not) exist|request has expired|time ?(?:skew|too skewed)",
    re.IGNORECASE,
)
_GATEWAY = re.compile(r"API(?:GW|G|C)\.03\d\d", re.IGNORECASE)
_NUMBERED = re.compile(r"\.\d{0,4}0?(40[0-9]|429|50[0-4])(?:0\d\d)?$")  # CCE.01401001, SYS.0403, FSS.0429
_TYPES = {
    "itemNotFound": "not-found",
    "conflictingRequest": "conflict",
    "overLimit": "throttling",
    "forbidden": "permission-denied",
}
_VAGUE = {"invalid-parameter", "internal", "mixed", "dependency", "conflict", "not-found"}  # a denial's words count

_UNKNOWN_CALL = FailedCall()


def failure_of(
    body: ErrorBody,
    *,
    status: int | None = None,
    request_id: str | None = None,
    family: str | None = None,
    call: FailedCall = _UNKNOWN_CALL,
) -> Failure:
    """The failure that a body describes, with everything known of the call around it."""
    family = family or ("keystone" if body.style == "keystone" else None)
    actions = actions_in(body.message)
    kind, gate = _kind(body, status, family, actions)
    nested = tuple(failure_of(cause, call=FailedCall(call.method, call.url)) for cause in body.causes)
    return Failure(
        code=body.code,
        status=status,
        message=body.message or call.reason,
        request_id=request_id or body.request_id,
        gate=gate,
        kind=kind,
        service=service_of(body, call.url, family),
        actions=actions,
        method=call.method,
        url=call.url,
        causes=nested,
        encoded_authorization_message=body.encoded,
        family=family,
        details=body.details,
    )


def actions_in(text: str) -> tuple[str, ...]:
    """The actions that a denial's text names, in its order, each once."""
    found = [match[1] for wording in ACTION_WORDINGS for match in wording.finditer(text[:20_000])]
    return tuple(dict.fromkeys(found))


def service_of(body: ErrorBody, url: str | None, family: str | None = None) -> str | None:
    """The service that answered: by the host, else by the code's prefix."""
    by_host = _host_service(url) if url else None
    if by_host or not body.code:
        return by_host
    if family == "keystone" or body.style == "keystone":
        return "iam"
    if not is_code_shaped(body.code) and codes.entry(body.code) is None:
        return None
    return codes.service_of(body.code)


def is_code_shaped(code: str) -> bool:
    """Whether a code has the form of Huawei Cloud's dotted codes."""
    return codes.CODE_SHAPE.fullmatch(code) is not None


def _host_service(url: str) -> str | None:
    from pytest_hwcloud.cloud.endpoints import locate

    try:
        return locate(urlsplit(url).hostname or url).service
    except ValueError:
        return None


def _kind(body: ErrorBody, status: int | None, family: str | None, actions: tuple[str, ...]) -> tuple[str, str]:
    entry = codes.entry(body.code, body.message, status, family=family) if body.code and body.style != "nova" else None
    if entry is not None and not (actions and entry.kind in _VAGUE):
        # A code for denials of every sort: where the words are about who is calling, they decide.
        open_kind = entry.gate == "authorization" or entry.kind in _VAGUE
        if open_kind and not actions and _UNKNOWN_CALLER.search(body.message[:2000]):
            return "authentication", codes.gate_of("authentication")
        return entry.kind, entry.gate
    kind = "permission-denied" if actions else _guess(body, status)
    return kind, codes.gate_of(kind)


def _guess(body: ErrorBody, status: int | None) -> str:
    """The kind of a code that no table has. 403 alone is no denial: services send it for throttling too."""
    worded = wording(body.message)
    if worded:
        return worded
    if body.code and _GATEWAY.fullmatch(body.code):
        return "authentication"
    if body.details.get("type") in _TYPES:
        return _TYPES[body.details["type"]]
    return _STATUS_KINDS.get(status or _numbered(body.code), "internal" if (status or 0) >= 500 else "unknown")


def _numbered(code: str | None) -> int:
    if code and code.isdecimal():
        return int(code[:9])
    found = _NUMBERED.search(code or "")
    return int(found[1]) if found else 0


def wording(message: str) -> str | None:
    """The kind that a message's words indicate."""
    return next((kind for pattern, kind in _WORDINGS if pattern.search(message[:4000])), None)
