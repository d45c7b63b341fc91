"""How clients of every language print a refusal: labelled fields in any spelling and order, and their own sentences.

Sources: the texts of the SDKs for Java, Go, Node, .NET and PHP, of Terraform's provider and gophercloud, KooCLI,
obsutil, botocore, keystoneauth, openstacksdk, urllib, aiohttp and curl, as their users paste them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from pytest_hwcloud.cloud.failures import codes
from pytest_hwcloud.cloud.failures.bodies import ErrorBody, read_refusal
from pytest_hwcloud.cloud.failures.classify import failure_of, wording
from pytest_hwcloud.cloud.failures.failure import FailedCall, Failure
from pytest_hwcloud.cloud.failures.formats import embedded

Found = tuple[int, int, Failure]
_MOST = 2000  # labels that are looked at
_NEAR = 3000  # characters from one label of a group to the next
_LONGEST = 1500  # characters of a message

_FIELDS = {
    "status": r"http[ _-]?status(?:[ _-]?code)?|status[ _-]?code|response[ _-]?code|status|(?:http ?)?状态码",
    "code": r"error[ _-]?code|err[ _-]?code|code|错误(?:码|代码)",
    "message": r"error[ _-]?(?:msg|message)|err[ _-]?msg|message|reason|错误(?:信息|描述|消息|原因)|失败原因|原因",
    "weak": r"msg",  # a message only where no other label has it: a log's own words stand there too
    "request_id": r"(?:x-)?req(?:uest)?[ _-]?id|请求 ?(?:id|编号)",
    "encoded": r"encoded[ _-]?(?:authorization|auth)[ _-]?(?:message|msg)",
    "host_id": r"host[ _-]?id",
    "other": r"response[ _-]?status|error[ _-]?type|user[ _-]agent|extended request id|resource|indicator"
    r"|interfaceresult",
}
_LABEL = re.compile(
    r"(?<![\w.\"'=-])(?:"
    + "|".join(f"(?P<{name}>{pattern})" for name, pattern in _FIELDS.items())
    + r")(?:\s{0,3}[:=：]\s{0,3}|\s{1,2}(?=\[)|\s{0,2}(?:为|是)[:：]?\s{0,2})(?:Some\()?(?P<open>['\"\[{]?)",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Za-z][\w.-]{2,80}|\d{3,12}")
_ID = re.compile(r"[\w-]{6,80}")
# What follows a message that no label follows: a bracket, a stack frame, the next exception, the next line of a log.
_END = re.compile(
    r"\s*[}\]]\s*(?:,|$|\s)|\s+at [\w.$<>/]+\(|\s+Caused by: |\s+Traceback \(|\s+goroutine \d+|\s+\.\.\. \d+ more"
    r"|\s+\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:|\s+(?:Error|Warning): |\s+on \S+\.tf line \d+|\s+in \S+\.php:\d+|\s{2,}"
    r"|(?<=[.!]) (?=[\u4e00-\u9fff])|(?<=[!-~])[，。；！]\s?(?=[\u4e00-\u9fff])"
)


def labelled_fields(flat: str) -> Iterator[Found]:
    """Groups of `label: value`, `label=value` and `label [value]`, in any order, that describe one answer."""
    group: list[re.Match[str]] = []
    for number, label in enumerate(_LABEL.finditer(flat)):
        if number > _MOST:
            break
        kinds = {_kind(one) for one in group}
        if group and (
            (_kind(label) in kinds and _kind(label) not in _LOOSE) or label.start() - group[-1].end() > _NEAR
        ):
            yield from _group(flat, group)
            group = []
        group.append(label)
    yield from _group(flat, group)


def _kind(label: re.Match[str]) -> str:
    return next(name for name in _FIELDS if label[name])


_LOOSE = {"other", "weak"}
_TELLING = (
    {"code", "message"},
    {"code", "weak"},
    {"code", "status"},
    {"code", "request_id"},
    {"status", "request_id", "host_id"},
)


def _group(flat: str, group: list[re.Match[str]]) -> Iterator[Found]:
    kinds = {_kind(label) for label in group}
    if not any(pair <= kinds for pair in _TELLING):
        return
    values: dict[str, str] = {}
    end = 0
    for number, label in enumerate(group):
        follows = group[number + 1].start() if number + 1 < len(group) else None
        values[_kind(label)], end = _value(flat, label, follows)
    found = _of_fields(values)
    if found is not None:
        yield group[0].start(), max(end, group[-1].end()), found


def _value(flat: str, label: re.Match[str], follows: int | None) -> tuple[str, int]:
    """The value of a label, and where it ends; follows: where the next label of the group begins."""
    start, kind = label.end(), _kind(label)
    piece = flat[start : follows if follows is not None else start + _LONGEST]
    if kind not in ("message", "weak"):
        shape = re.compile(r"\d{3}\b") if kind == "status" else _CODE if kind == "code" else _ID
        value = shape.match(piece) if kind != "encoded" else re.match(r"[\w+/=.-]{8,}", piece)
        return (value[0], start + value.end()) if value else ("", start)
    closing = {"'": "'", '"': '"', "[": "]", "{": "}"}.get(label["open"], "")
    if closing:
        at = _closed(piece, closing, inside=follows is not None)
        if at < 0 and follows is not None:
            at = piece.rfind(closing)
        piece = piece[:at] if at >= 0 else piece
    elif follows is None and (cut := _END.search(piece)):
        piece = piece[: cut.start()]
    text = piece.strip().rstrip(",;|(，；").strip() if closing else re.sub(r"[\s,;|({\[，；（]+$", "", piece.strip())
    return text, start + len(piece)


def _closed(piece: str, closing: str, *, inside: bool) -> int:
    """Where a quoted message ends: its quotation mark before a comma, a bracket or the end.

    inside: another label follows, so that only the mark counts that stands before a label, known or not.
    """
    behind = r"[,;)}\]]{0,3}\s{0,3}(?:$|['\"]?[\w -]{1,40}['\"]?\s?[:=])" if inside else r"(?:[,;)}\]]|$|\s)"
    found = re.search(re.escape(closing) + r"\s{0,3}" + behind, piece)
    return found.start() if found else -1


def _of_fields(values: dict[str, str]) -> Failure | None:
    code, status = values.get("code", ""), values.get("status", "")
    message = values.get("message", values.get("weak", ""))
    known = bool(codes.CODE_SHAPE.fullmatch(code)) or (bool(code) and codes.entry(code) is not None)
    if not known and not (status and "request_id" in values) and not (code and code == status and message):
        return None
    if status and not "400" <= status <= "599" and not known:
        return None
    body = read_refusal({"error_code": code, "error_msg": message}) if "{" in message else None
    if code == status and body is None:  # an SDK that could not read the body shows it as the message
        body = ErrorBody(code=None, message=message)
    body = body or ErrorBody(code=code or None, message=message)
    if values.get("encoded"):
        body = replace(body, encoded=values["encoded"])
    details = {"host_id": values["host_id"]} if values.get("host_id") else {}
    failure = failure_of(
        replace(body, details={**body.details, **details}),
        status=int(status) if status and 400 <= int(status) <= 599 else None,
        request_id=values.get("request_id") or None,
    )
    # Only object stores give a host id beside the request id.
    return replace(failure, service=failure.service or "obs") if details else failure


# Sentences --------------------------------------------------------------------------------------------------------

_CALL = r"\[?(?P<method>GET|PUT|POST|PATCH|DELETE|HEAD|OPTIONS) (?P<url>https?://[^\s\],]{1,2000})\]?"
_MOST_BODY = 20_000  # characters behind a sentence that may be its body
# A sentence with the group `body` goes on with a body or with words of the server; before one with the group `ahead`
# stand the server's words, and its code where no other group has it.
_SENTENCES = tuple(
    re.compile(pattern)
    for pattern in (
        # golangsdk of Terraform's provider: Action forbidden: [POST URL], request_id: X, error message: {…}
        rf"(?P<lead>[A-Z][\w' -]{{2,60}}): {_CALL}(?:,? ?request_id:\s?(?P<id>[\w-]{{1,80}}))?"
        r",? error message:\s?(?P<body>)",
        # gophercloud: Expected HTTP response code [200] when accessing [GET URL], but got 403 instead: {…}
        rf"(?:Expected HTTP response code \[[\d ]{{0,40}}\] when accessing|when accessing) {_CALL},? but got "
        r"(?P<status>\d{3}) instead:? ?(?P<body>)",
        # Guzzle: Client error: `GET URL` resulted in a `403 Forbidden` response: {…}
        r"(?:Client|Server) error: `(?P<method>[A-Z]{3,7}) (?P<url>https?://[^\s`]{1,2000})` resulted in a "
        r"`(?P<status>[45]\d\d)[^`]{0,60}` response:? ?(?P<body>)",
        # openstacksdk: ForbiddenException: 403: Client Error for url: URL, words or a body
        r"\b(?P<status>[45]\d\d):? (?:Client|Server) Error(?: for url)?: "
        r"(?P<url>https?://[^\s,]{1,2000}),? ?(?P<body>)",
        # botocore: An error occurred (AccessDenied) when calling the ListBuckets operation: Access Denied
        r"An error occurred \((?P<code>[\w.-]{2,60})\) when calling the \w{1,60} operation"
        r"(?: \(reached max retries: \d+\))?: ?(?P<body>)",
        # s3cmd: S3 error: 403 (AccessDenied): Access Denied
        r"S3 error: (?P<status>[45]\d\d) \((?P<code>[A-Z]\w{2,60})\)(?:: ?(?P<body>))?",
        # AWS SDK for Go 2, rclone: https response error StatusCode: 403, RequestID: X, HostID: Y, api error CODE: words
        r"response error StatusCode: (?P<status>[45]\d\d), RequestID: (?P<id>[\w-]{0,80}), "
        r"(?:HostID: [^,\s]{0,200}, ?)?(?:api error )?(?P<code>[A-Z]\w{2,60}): ?(?P<body>)",
        # AWS SDK for Go 1: CODE: words status code: 403, request id: X
        r"(?P<ahead>)\bstatus code: (?P<status>[45]\d\d), request id: (?P<id>[\w-]{0,80})",
        # AWS SDK for Java: words (Service: S3, Status Code: 403, Request ID: X, …)
        r"(?P<ahead>)\(Service: (?:Amazon )?(?P<store>S3)[;,] Status Code: (?P<status>[45]\d\d)"
        r"(?:[;,] Error Code: (?P<code>[\w.]{2,60}))?[;,] Request ID: (?P<id>[\w-]{0,80})[^)]{0,400}\)",
        # OTC's provider: Error creating X: VPC.0007, Reason: …
        rf"(?P<code>{codes.CODE_SHAPE.pattern}),\s{{1,20}}Reason: (?P<body>)",
        # OpenStack's own clients: neutronclient.common.exceptions.Forbidden: words … request_ids: ['req-…']
        r"\b\w*client\.(?:\w+\.){0,2}exc\w*\.(?P<class>[A-Z]\w{3,40}?)(?:Client)?: (?P<words>[^\n{}]{1,300}?)"
        r"\s{1,3}Neutron server returns request_ids: \['(?P<id>req-[\w-]{6,80})",
        # keystoneauth: words (HTTP 403) (Request-ID: req-…)
        r"(?P<ahead>)\(HTTP (?P<status>[45]\d\d)\)(?: \(Request-ID: (?P<id>[\w-]{6,80})\))?",
        # swiftclient: Container GET failed: URL 403 Forbidden  [first 60 chars of response] …
        r"(?P<method>GET|HEAD|PUT|POST|DELETE) failed: (?P<url>https?://\S{1,2000}) (?P<status>[45]\d\d) "
        r"(?P<words>[A-Z][\w ]{2,30})(?=\s+\[first|\s*$)",
        # aiohttp: 403, message='Forbidden', url='https://…'
        r"\b(?P<status>[45]\d\d), message='(?P<words>[^'\n]{0,300})', url=(?:URL\()?'(?P<url>https?://[^'\s]{1,2000})'",
        # urllib: HTTP Error 403: Forbidden; wget: ERROR 403: Forbidden.
        r"\b(?:HTTP Error|\d\d:\d\d:\d\d ERROR) (?P<status>[45]\d\d): (?P<words>[A-Z][\w '-]{0,60}\w)",
        # curl -f
        r"\bcurl: \(22\) The requested URL returned error: (?P<status>[45]\d\d)\b",
        # axios: Request failed with status code 403
        r"\bRequest failed with status code (?P<status>[45]\d\d)\b",
        # the error page of a gateway
        r"<title>\s{0,20}(?P<status>[45]\d\d)\b\s{0,3}(?P<words>[^<]{0,80}?)\s{0,20}</title>(?:.{0,4000}</html>)?",
    )
)
_LEADS = {
    "bad request": 400, "authentication failed": 401, "action forbidden": 403, "resource not found": 404,
    "method not allowed": 405, "request timed out": 408, "conflict": 409, "too many requests": 429,
    "internal server error": 500, "service unavailable": 503,
}  # fmt: skip
_CLASSES = {
    "BadRequest": 400, "Unauthorized": 401, "Forbidden": 403, "NotFound": 404, "Conflict": 409, "OverQuota": 409,
    "ServiceUnavailable": 503,
}  # fmt: skip
_PHRASES = {
    "bad gateway",
    "gateway time-out",
    "gateway timeout",
    "service unavailable",
    "forbidden",
    "unauthorized",
    "bad request",
    "not found",
    "conflict",
    "internal server error",
}


def sentences(flat: str) -> Iterator[Found]:
    """Sentences in which clients wrap an answer, with the body that follows."""
    for pattern in _SENTENCES:
        for number, found in enumerate(pattern.finditer(flat)):
            if number > _MOST // 10:
                break
            fields = {name: value for name, value in found.groupdict().items() if value}
            start = found.start() - len(_ahead(found, fields))
            failure, end = _of_sentence(found, fields)
            if failure is not None:
                yield start, end, failure


def _ahead(found: re.Match[str], fields: dict[str, str]) -> str:
    """What stands before a sentence in its line, put into the fields as code and words."""
    if found.groupdict().get("ahead") is None:
        return ""
    text = re.split(r"[\n{}\[\]]", found.string[max(0, found.start() - _AHEAD) : found.start()])[-1]
    coded = re.search(r"\b([A-Z][A-Za-z]{3,60}): ([^:]*)$", text) if found[0].startswith("status") else None
    fields["words"] = coded[2] if coded else text
    if coded:
        fields["code"] = coded[1]
        return coded[0]
    return text


_AHEAD = 300


def _of_sentence(found: re.Match[str], fields: dict[str, str]) -> tuple[Failure | None, int]:
    status = (
        int(fields["status"])
        if "status" in fields
        else _LEADS.get(fields.get("lead", "").lower().removesuffix(" with").strip())
        or _CLASSES.get(fields.get("class", ""))
    )
    body, end = _body_of(found, fields)
    if "code" in fields:
        code = None if fields["code"].isdecimal() else fields["code"]
        status = status or (int(fields["code"]) if fields["code"].isdecimal() and len(fields["code"]) == 3 else None)
        family = "obs" if code and codes.entry(code, family="obs") and not codes.CODE_SHAPE.fullmatch(code) else None
        body = replace(body, code=code, message="" if code is None and _is_phrase(body.message) else body.message)
        failure = failure_of(body, status=status, request_id=fields.get("id"), family=family)
        return (replace(failure, service=failure.service or ("obs" if family else None))), end
    if status is None and body.code is None:
        return None, end
    if "store" in fields:
        return replace(failure_of(body, status=status, request_id=fields.get("id")), service="obs"), end
    return (
        failure_of(
            replace(body, message="" if _is_phrase(body.message) else body.message),
            status=status,
            request_id=fields.get("id"),
            call=FailedCall(fields.get("method"), fields.get("url", "").rstrip(".,;") or None),
        ),
        end,
    )


# What stands before the words of an exception in its line: its class, the level or the time of a log.
_BEFORE = re.compile(
    r"(?:[A-Za-z_]\w*\.)+[A-Z]\w*: |\b\w*(?:Error|Exception|Forbidden|Unauthorized|NotFound|BadRequest|Conflict): "
    r"|\b(?:ERROR|WARNING|FATAL|error)\b:? |\d\d:\d\d:\d\d\S* "
)


def _is_phrase(message: str) -> bool:
    """Whether a message is no more than the name of its status."""
    return message.lower() in _PHRASES


def _body_of(found: re.Match[str], fields: dict[str, str]) -> tuple[ErrorBody, int]:
    """What follows the sentence: a JSON body, or words up to where another text begins."""
    start = found.end()
    if found.groupdict().get("body") is None:
        words = _BEFORE.split(fields.get("words") or "")[-1]
        return ErrorBody(code=None, message=words.strip(" :,")), start
    text = found.string[start : start + _MOST_BODY]
    if "{" in text[:40]:
        read = read_refusal(embedded(text))
        if read is not None:
            return read, start + _object_end(text)
    cut = _END.search(text)
    words = text[: cut.start()] if cut else text[:_LONGEST]
    return ErrorBody(code=None, message=words.strip().rstrip(",;").strip()), start + len(words)


def _object_end(text: str) -> int:
    depth = 0
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"|[{}]', text):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0 and found[0] == "}":
            return found.end()
    return len(text)


def is_worded(failure: Failure) -> bool:
    """Whether a failure has a message, not only a code."""
    return bool(failure.message) and (bool(failure.code) or wording(failure.message) is not None)
