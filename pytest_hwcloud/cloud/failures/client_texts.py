"""How clients of every language print a refusal: labelled fields in any spelling and order, and sentences of their own.

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
from pytest_hwcloud.cloud.failures.failure import Failure
from pytest_hwcloud.cloud.failures.formats import embedded

Found = tuple[int, int, Failure]
_MOST = 2000  # labels that are looked at
_NEAR = 3000  # characters from one label of a group to the next
_LONGEST = 1500  # characters of a message

_FIELDS = {
    "status": r"http[ _-]?status(?:[ _-]?code)?|status[ _-]?code|status|状态码",
    "code": r"error[ _-]?code|err[ _-]?code|code|错误码",
    "message": r"error[ _-]?(?:msg|message)|err[ _-]?msg|message|reason|错误(?:信息|描述|消息)",
    "request_id": r"(?:x-)?request[ _-]?id|请求 ?id",
    "encoded": r"encoded[ _-]?(?:authorization|auth)[ _-]?(?:message|msg)",
    "host_id": r"host[ _-]?id",
}
_LABEL = re.compile(
    r"(?<![\w.\"'=-])(?:"
    + "|".join(f"(?P<{name}>{pattern})" for name, pattern in _FIELDS.items())
    + r")(?:\s{0,3}[:=：]\s{0,3}|\s{1,2}(?=\[))(?P<open>['\"\[]?)",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Za-z][\w.-]{2,80}|\d{3,12}")
_ID = re.compile(r"[\w-]{6,80}")
# What follows a message that no label follows: a bracket, a stack frame, the next exception, the next line of a log.
_END = re.compile(
    r"\s*[}\]]\s*(?:,|$|\s)|\s+at [\w.$<>/]+\(|\s+Caused by: |\s+Traceback \(|\s+goroutine \d+|\s+\.\.\. \d+ more"
    r"|\s+\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:|\s+(?:Error|Warning): |\s+on \S+\.tf line \d+|\s+in \S+\.php:\d+|\s{2,}"
    r"|(?<=[.!]) (?=[\u4e00-\u9fff])"
)


def labelled_fields(flat: str) -> Iterator[Found]:
    """Groups of `label: value`, `label=value` and `label [value]`, in any order, that tell of one answer."""
    group: list[re.Match[str]] = []
    for number, label in enumerate(_LABEL.finditer(flat)):
        if number > _MOST:
            break
        kinds = {_kind(one) for one in group}
        if group and (_kind(label) in kinds or label.start() - group[-1].end() > _NEAR):
            yield from _group(flat, group)
            group = []
        group.append(label)
    yield from _group(flat, group)


def _kind(label: re.Match[str]) -> str:
    return next(name for name in _FIELDS if label[name])


def _group(flat: str, group: list[re.Match[str]]) -> Iterator[Found]:
    kinds = {_kind(label) for label in group}
    if not ({"code", "message"} <= kinds or {"code", "status"} <= kinds or {"code", "request_id"} <= kinds):
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
    if kind != "message":
        shape = re.compile(r"\d{3}\b") if kind == "status" else _CODE if kind == "code" else _ID
        value = shape.match(piece) if kind != "encoded" else re.match(r"[\w+/=.-]{8,}", piece)
        return (value[0], start + value.end()) if value else ("", start)
    closing = {"'": "'", '"': '"', "[": "]"}.get(label["open"], "")
    if closing:
        at = piece.rfind(closing) if follows is not None else _closed(piece, closing)
        piece = piece[:at] if at >= 0 else piece
    elif follows is None and (cut := _END.search(piece)):
        piece = piece[: cut.start()]
    text = piece.strip().rstrip(",;|(，；").strip() if closing else re.sub(r"[\s,;|({\[，；（]+$", "", piece.strip())
    return text, start + len(piece)


def _closed(piece: str, closing: str) -> int:
    """Where a quoted message ends that nothing follows: its quotation mark before a comma, a bracket or the end."""
    found = re.search(re.escape(closing) + r"\s{0,3}(?:[,;)}\]]|$|\s)", piece)
    return found.start() if found else -1


def _of_fields(values: dict[str, str]) -> Failure | None:
    code, message, status = values.get("code", ""), values.get("message", ""), values.get("status", "")
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
    return failure_of(
        replace(body, details={**body.details, **details}),
        status=int(status) if status and 400 <= int(status) <= 599 else None,
        request_id=values.get("request_id") or None,
    )


# Sentences --------------------------------------------------------------------------------------------------------

_CALL = r"\[?(?P<method>GET|PUT|POST|PATCH|DELETE|HEAD|OPTIONS) (?P<url>https?://[^\s\],]{1,2000})\]?"
_BODY = r"(?P<body>.{0,20000})"
_SENTENCES = tuple(
    re.compile(pattern)
    for pattern in (
        # golangsdk of Terraform's provider: Action forbidden: [POST URL], request_id: X, error message: {…}
        rf"(?P<lead>[A-Z][\w' -]{{2,60}}): {_CALL}(?:,? request_id:\s?(?P<id>[\w-]{{1,80}}))?"
        rf",? error message:\s?{_BODY}",
        # gophercloud: Expected HTTP response code [200] when accessing [GET URL], but got 403 instead: {…}
        rf"(?:Expected HTTP response code \[[\d ]{{0,40}}\] when accessing|when accessing) {_CALL},? but got "
        rf"(?P<status>\d{{3}}) instead:? ?{_BODY}",
        # openstacksdk: ForbiddenException: 403: Client Error for url: URL, words or a body
        r"\b(?P<status>[45]\d\d):? (?:Client|Server) Error(?: for url)?: "
        rf"(?P<url>https?://[^\s,]{{1,2000}}),? ?{_BODY}",
        # botocore: An error occurred (AccessDenied) when calling the ListBuckets operation: Access Denied
        r"An error occurred \((?P<code>[\w.-]{2,60})\) when calling the \w{1,60} operation"
        rf"(?: \(reached max retries: \d+\))?: ?{_BODY}",
        # OTC's provider: Error creating X: VPC.0007, Reason: …
        rf"(?P<code>{codes.CODE_SHAPE.pattern}),\s{{1,20}}Reason: {_BODY}",
        # keystoneauth: words (HTTP 403) (Request-ID: req-…)
        r"(?P<words>[^\n{}\[\]]{0,300}?)\s?\(HTTP (?P<status>[45]\d\d)\)(?: \(Request-ID: (?P<id>[\w-]{6,80})\))?",
        # aiohttp: 403, message='Forbidden', url='https://…'
        r"\b(?P<status>[45]\d\d), message='(?P<words>[^'\n]{0,300})', url=(?:URL\()?'(?P<url>https?://[^'\s]{1,2000})'",
        # urllib: HTTP Error 403: Forbidden
        r"\bHTTP Error (?P<status>[45]\d\d): (?P<words>[A-Z][\w '-]{0,60}\w)",
    )
)
_LEADS = {
    "bad request": 400, "authentication failed": 401, "action forbidden": 403, "resource not found": 404,
    "method not allowed": 405, "request timed out": 408, "conflict": 409, "too many requests": 429,
    "internal server error": 500, "service unavailable": 503,
}  # fmt: skip
_PHRASES = {"forbidden", "unauthorized", "bad request", "not found", "conflict", "internal server error"}


def sentences(flat: str) -> Iterator[Found]:
    """Sentences in which clients wrap an answer, with the body that follows."""
    for pattern in _SENTENCES:
        for number, found in enumerate(pattern.finditer(flat)):
            if number > _MOST // 10:
                break
            fields = {name: value for name, value in found.groupdict().items() if value}
            failure, end = _of_sentence(found, fields)
            if failure is not None:
                yield found.start(), end, failure


def _of_sentence(found: re.Match[str], fields: dict[str, str]) -> tuple[Failure | None, int]:
    status = (
        int(fields["status"])
        if "status" in fields
        else _LEADS.get(fields.get("lead", "").lower().removesuffix(" with").strip())
    )
    body, end = _body_of(found, fields)
    if "code" in fields:
        code = None if fields["code"].isdecimal() else fields["code"]
        status = status or (int(fields["code"]) if fields["code"].isdecimal() and len(fields["code"]) == 3 else None)
        family = "obs" if code and codes.entry(code, family="obs") and not codes.CODE_SHAPE.fullmatch(code) else None
        body = replace(body, code=code, message="" if code is None and _is_phrase(body.message) else body.message)
        failure = failure_of(body, status=status, family=family)
        return (replace(failure, service=failure.service or ("obs" if family else None))), end
    if status is None and body.code is None:
        return None, end
    return (
        failure_of(
            replace(body, message="" if _is_phrase(body.message) else body.message),
            status=status,
            request_id=fields.get("id"),
            method=fields.get("method"),
            url=fields.get("url", "").rstrip(".,;") or None,
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
    if "body" not in fields:
        words = _BEFORE.split(fields.get("words", ""))[-1]
        return ErrorBody(code=None, message=words.strip(" :,")), found.end()
    text = fields["body"]
    start = found.start("body")
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


_RESPONSE = re.compile(
    r"\bHTTP/[\d.]{1,3} (?P<status>[45]\d\d)\b(?P<head>.{0,4000}?)(?=\{|<Error>|<\?xml|$)", re.IGNORECASE | re.DOTALL
)
_ID_HEADER = re.compile(
    r"(?:x-request-id|x-openstack-request-id|x-obs-request-id|x-amz-request-id): ?([\w-]{6,80})", re.I
)


def response_heads(flat: str) -> Iterator[tuple[int, int, str | None]]:
    """Status lines as curl and http tools print them: where the head ends, its status, its request id."""
    for number, found in enumerate(_RESPONSE.finditer(flat)):
        if number > _MOST // 10:
            break
        identifier = _ID_HEADER.search(found["head"])
        yield found.end(), int(found["status"]), identifier[1] if identifier else None


# Layers -----------------------------------------------------------------------------------------------------------

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_BOX = re.compile(r"^[ \t]*[│┃║╷╵╭╰┌└├]+[ \t]?|[ \t]*[│┃║]+[ \t]*$|^[ \t]*[╭╰┌└├╔╚]?[─━═╌]{3,}.*$", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\|[ \t]?|[ \t]*\|[ \t]*$|^[ \t]*\+[-=+]{3,}\+[ \t]*$", re.MULTILINE)
_PREFIX = re.compile(
    r"^(?:[\w.-]+ +\| +|\d{4}-\d\d-\d\dT[\d:.]+Z? (?:stdout|stderr) [FP] |<\d{1,3}>\d? ?|E\s{2,}|\[pod/[^\]]+\] )",
    re.MULTILINE,
)


def plain(text: str) -> str:
    """The text without colours, frames of boxes, and the prefixes of container logs and of pytest's error lines."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 2 and all(line[0] in "|+" and line[-1] in "|+" for line in lines):
        text = _TABLE.sub("", text)
    return _PREFIX.sub("", _BOX.sub("", text))


def unescaped(text: str) -> str | None:
    """The text with one layer of escapes taken off, as a log wrote them; None if it has none."""
    if "\\" not in text:
        return None
    simple = {"\\n": "\n", "\\t": "\t", "\\r": "", '\\"': '"', "\\'": "'", "\\\\": "\\", "\\/": "/"}
    found = re.sub(r"\\(?:[ntr\"'\\/]|u[0-9a-fA-F]{4})", lambda m: simple.get(m[0]) or _character(m[0]), text)
    return found if found != text else None


def _character(escape: str) -> str:
    if len(escape) < 6:
        return ""
    number = int(escape[2:], 16)
    return chr(number) if not 0xD800 <= number <= 0xDFFF else "�"


def is_worded(failure: Failure) -> bool:
    """Whether a failure has words of its own, not only a code."""
    return bool(failure.message) and (bool(failure.code) or wording(failure.message) is not None)
