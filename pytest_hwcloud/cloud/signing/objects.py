"""What OBS does with a signature: its own scheme, AWS version 2 and AWS version 4, in headers and in the query.

Sources: OBS API reference, "User Signature Authentication" (header, URL); Amazon S3 API reference, "Signing and
Authenticating REST Requests" (version 2) and "Authenticating Requests (AWS Signature Version 4)" with its chunked
uploads and trailers. Clients differ in how they spell a path and in which sub-resources they know; every spelling of
the official clients is accepted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pytest_hwcloud.cloud.endpoints import locate
from pytest_hwcloud.cloud.wire import Request

MAX_SKEW = timedelta(minutes=15)
UNSIGNED = "UNSIGNED-PAYLOAD"
_V4 = "AWS4-HMAC-SHA256"
_STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_STREAMING_UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_EMPTY = hashlib.sha256(b"").hexdigest()
# Query parameters that name a sub-resource or change the answer, and so are signed. OBS compares without case.
_OBS_SUBRESOURCES = frozenset(
    (
        *("acl", "append", "attname", "backtosource", "bucketstatus", "cors", "customdomain", "delete", "deletebucket"),
        *("directcoldaccess", "dispolicy", "encryption", "fileinterface", "inventory", "length", "lifecycle"),
        *("location", "logging", "metadata", "mirrorbacktosource", "modify", "name", "notification", "object-lock"),
        *("obscompresspolicy", "partnumber", "policy", "policystatus", "position", "publicaccessblock", "quota"),
        *("rename", "replication", "requestpayment", "restore", "retention", "storageclass", "storageinfo"),
        *("storagepolicy", "tagging", "torrent", "truncate", "uploadid", "uploads", "versionid", "versioning"),
        *("versions", "website", "response-cache-control", "response-content-disposition"),
        *("response-content-encoding", "response-content-language", "response-content-type", "response-expires"),
        *("x-image-process", "x-image-save-bucket", "x-image-save-object", "x-oss-process"),
    )
)
_AWS_SUBRESOURCES = frozenset(
    (
        *("accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle"),
        *("location", "logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication"),
        *("requestPayment", "restore", "select", "select-type", "storageClass", "tagging", "torrent", "uploadId"),
        *("uploads", "versionId", "versioning", "versions", "website", "response-cache-control"),
        *("response-content-disposition", "response-content-encoding", "response-content-language"),
        *("response-content-type", "response-expires"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectClaim:
    """The signer that a request names. scheme: "OBS", "AWS" (version 2) or "AWS4". in_query: a presigned URL."""

    scheme: str
    ak: str
    signature: str
    in_query: bool
    token: str = ""
    scope: str = ""  # of AWS4: date/region/service/aws4_request
    names: tuple[str, ...] = ()  # of AWS4: the signed headers


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCheck:
    """OBS's finding. reason: "" (right), "mismatch", "skewed", "expired" (a presigned URL), "no-date", "malformed"."""

    reason: str
    string_to_sign: str = ""
    signed_at: datetime | None = None


def claim_of(request: Request) -> ObjectClaim | None:
    """The signature of OBS or AWS that a request carries, readable or not; None if it carries none."""
    authorization = request.headers.get("authorization", "")
    scheme, _, rest = authorization.partition(" ")
    headers = request.headers
    if scheme in ("OBS", "AWS"):
        ak, _, signature = rest.strip().rpartition(":")
        token = headers.get(f"x-{'amz' if scheme == 'AWS' else 'obs'}-security-token", "")
        return ObjectClaim(scheme=scheme, ak=ak, signature=signature, in_query=False, token=token)
    if scheme == _V4:
        fields = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in rest.split(","))}
        ak, _, scope = fields.get("Credential", "").partition("/")
        return ObjectClaim(
            scheme="AWS4",
            ak=ak,
            signature=fields.get("Signature", ""),
            in_query=False,
            token=headers.get("x-amz-security-token", ""),
            scope=scope,
            names=tuple(fields.get("SignedHeaders", "").lower().split(";")),
        )
    return _claim_in_query(request.url)


def _claim_in_query(url: str) -> ObjectClaim | None:
    """Of a presigned URL, also of one that a part was taken out of: that is no call without credentials."""
    query = url.partition("?")[2].partition("#")[0]
    if not has_claim_in_query(query):
        return None
    found = {name.lower(): value for name, value in parse_qsl(query, keep_blank_values=True)}
    token = found.get("x-obs-security-token") or found.get("x-amz-security-token", "")
    if any(name in found for name in ("x-amz-signature", "x-amz-credential", "x-amz-algorithm")):
        ak, _, scope = found.get("x-amz-credential", "").partition("/")
        return ObjectClaim(
            scheme="AWS4",
            ak=ak,
            signature=found.get("x-amz-signature", ""),
            in_query=True,
            token=token,
            scope=scope,
            names=tuple(found.get("x-amz-signedheaders", "").lower().split(";")),
        )
    scheme, name = ("AWS", "awsaccesskeyid") if "awsaccesskeyid" in found else ("OBS", "accesskeyid")
    if name not in found and not ("signature" in found and "expires" in found):
        return None
    return ObjectClaim(
        scheme=scheme, ak=found.get(name, ""), signature=found.get("signature", ""), in_query=True, token=token
    )


has_claim_in_query = re.compile(r"(?i)(?:x-amz-(?:signature|credential|algorithm)|accesskeyid|signature)=").search


def check(request: Request, claim: ObjectClaim, sk: str, now: datetime) -> ObjectCheck:
    """Check the signature of a request with the key's SK. now: aware. Never raises for bad input."""
    if not claim.ak or not claim.signature:
        return ObjectCheck(reason="malformed")
    try:
        return (_check_v4 if claim.scheme == "AWS4" else _check_v2)(request, claim, sk, now)
    except (ValueError, KeyError, OverflowError):
        return ObjectCheck(reason="malformed")


# OBS and AWS version 2


def _check_v2(request: Request, claim: ObjectClaim, sk: str, now: datetime) -> ObjectCheck:
    headers, prefix = request.headers, "x-amz-" if claim.scheme == "AWS" else "x-obs-"
    url = urlsplit(request.url)
    pairs = [(n, v) for n, _, v in (part.partition("=") for part in url.query.split("&")) if n]
    if claim.in_query:
        date = next((v for n, v in pairs if unquote(n).lower() == "expires"), "")
        if not date.isdigit():
            return ObjectCheck(reason="malformed")
        signed_at = datetime.fromtimestamp(int(date), UTC)
        late = "expired" if now >= signed_at else ""
    else:
        own = headers.get(f"{prefix}date", "")
        date = "" if own else headers.get("date", "")
        written = own or date
        if not written:
            return ObjectCheck(reason="no-date")
        signed_at = _moment(written)
        late = "skewed" if abs(now - signed_at) > MAX_SKEW else ""
    if late:
        return ObjectCheck(reason=late, signed_at=signed_at)
    own_headers = "".join(
        f"{name}:{value.strip()}\n" for name, value in sorted(headers.items()) if name.startswith(prefix)
    )
    top = [request.method.upper(), headers.get("content-md5", ""), headers.get("content-type", ""), date]
    first = ""
    for resource in _resources(url.hostname or "", url.path, pairs, prefix):
        text = "\n".join(top) + "\n" + own_headers + resource
        first = first or text
        made = base64.b64encode(hmac.digest(sk.encode(), text.encode("utf-8", "surrogateescape"), "sha1")).decode()
        if hmac.compare_digest(made.encode(), claim.signature.encode()):
            return ObjectCheck(reason="", string_to_sign=text, signed_at=signed_at)
    return ObjectCheck(reason="mismatch", string_to_sign=first, signed_at=signed_at)


def _resources(host: str, path: str, pairs: list[tuple[str, str]], prefix: str) -> Iterator[str]:
    """The canonical resource, in every spelling that the official clients have for it."""
    bucket = locate(host).bucket
    base = f"/{bucket}" if bucket else ""
    spelled = dict.fromkeys([path or "/", quote(unquote(path or "/"), safe="/~")])
    paths = [base + one for one in spelled]
    paths += [one.rstrip("/") for one in paths if one.endswith("/") and len(one) > 1]
    paths += [one + "/" for one in paths if not one.endswith("/") and one.count("/") == 1]
    queries = []
    for known in (_OBS_SUBRESOURCES, _AWS_SUBRESOURCES):
        for plain in (True, False):
            kept = []
            for name, value in pairs:
                label = unquote(name)
                signed = label in known
                if known is _OBS_SUBRESOURCES:
                    signed = label.lower() in known or label.lower().startswith(prefix)
                if signed:
                    kept.append((label, unquote(value) if plain else value))
            kept.sort(key=lambda pair: pair[0])
            joined = "&".join(f"{name}={value}" if value else name for name, value in kept)
            queries.append("?" + joined if joined else "")
            bare = "&".join(f"{name}={value}" for name, value in kept)
            queries.append("?" + bare if bare else "")
    for one in dict.fromkeys(paths):
        for query in dict.fromkeys(queries):
            yield one + query


def _moment(text: str) -> datetime:
    for form in ("%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, IndexError) as error:
        raise ValueError(text) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# AWS version 4


def _check_v4(request: Request, claim: ObjectClaim, sk: str, now: datetime) -> ObjectCheck:
    url = urlsplit(request.url)
    pairs = [(n, v) for n, _, v in (part.partition("=") for part in url.query.split("&")) if n]
    found = {unquote(name).lower(): unquote(value.replace("+", "%20")) for name, value in pairs}
    date = found.get("x-amz-date", "") if claim.in_query else ""
    date = date or request.headers.get("x-amz-date", "") or request.headers.get("x-obs-date", "")
    date = date or request.headers.get("date", "")
    if not date:
        return ObjectCheck(reason="no-date")
    signed_at = _moment(date)
    stamp = signed_at.strftime("%Y%m%dT%H%M%SZ")
    day, _, rest = claim.scope.partition("/")
    if day != stamp[:8] or rest.count("/") != 2 or not rest.endswith("/aws4_request") or not claim.names[0]:
        return ObjectCheck(reason="malformed", signed_at=signed_at)
    if claim.in_query:
        seconds = int(found.get("x-amz-expires", "0"))
        if now > signed_at + timedelta(seconds=seconds) or signed_at - now > MAX_SKEW:
            return ObjectCheck(reason="expired", signed_at=signed_at)
    elif abs(now - signed_at) > MAX_SKEW:
        return ObjectCheck(reason="skewed", signed_at=signed_at)
    if "host" not in claim.names:
        return ObjectCheck(reason="malformed", signed_at=signed_at)
    said = request.headers.get("x-amz-content-sha256") or request.headers.get("x-obs-content-sha256", "")
    payload = said or (UNSIGNED if claim.in_query else hashlib.sha256(request.body).hexdigest())
    if len(payload) == 64 and payload != hashlib.sha256(request.body).hexdigest():
        return ObjectCheck(reason="mismatch", signed_at=signed_at)
    kept = [(n, v) for n, v in pairs if unquote(n).lower() != "x-amz-signature" or not claim.in_query]
    query = "&".join(f"{name}={value}" for name, value in sorted((_encoded(n), _encoded(v)) for n, v in kept))
    key = _key(sk, claim.scope)
    first = ""
    for path in dict.fromkeys([url.path or "/", quote(unquote(url.path or "/"), safe="/~")]):
        for canonical in _canonical(request, claim, path, query, payload):
            text = "\n".join([_V4, stamp, claim.scope, hashlib.sha256(canonical.encode()).hexdigest()])
            first = first or text
            if hmac.compare_digest(_seal(key, text).encode(), claim.signature.encode()):
                whole = _chunks_are_right(request, claim, payload, key, stamp)
                return ObjectCheck(reason="" if whole else "mismatch", string_to_sign=text, signed_at=signed_at)
    return ObjectCheck(reason="mismatch", string_to_sign=first, signed_at=signed_at)


def _canonical(request: Request, claim: ObjectClaim, path: str, query: str, payload: str) -> Iterator[str]:
    values = {"host": urlsplit(request.url).netloc.rpartition("@")[2], **request.headers}
    for collapse in (True, False):  # botocore folds blanks inside a value, the OBS SDK leaves them
        lines = []
        for name in claim.names:
            value = values.get(name, "")
            lines.append(f"{name}:{' '.join(value.split()) if collapse else value.strip()}")
        head = "\n".join(lines)
        yield f"{request.method.upper()}\n{path}\n{query}\n{head}\n\n{';'.join(claim.names)}\n{payload}"


def _encoded(text: str) -> str:
    return quote(unquote(text.replace("+", "%20"), errors="surrogateescape"), safe="~", errors="surrogateescape")


def _key(sk: str, scope: str) -> bytes:
    key = ("AWS4" + sk).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _seal(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def _chunks_are_right(request: Request, claim: ObjectClaim, payload: str, key: bytes, stamp: str) -> bool:
    """Of an upload in chunks: whether each chunk, and the trailers, carry the signature that follows from the first."""
    if not payload.startswith("STREAMING-"):
        return True
    pieces = _aws_chunks(request.body)
    if pieces is None:
        return False
    chunks, trailers = pieces
    declared = request.headers.get("x-amz-decoded-content-length", "")
    if declared and declared != str(sum(len(data) for data, _ in chunks)):
        return False
    if payload == _STREAMING_UNSIGNED:
        return _checksums_are_right(chunks, trailers)
    if not payload.startswith(_STREAMING):
        return False
    previous = claim.signature
    for data, signature in chunks:
        text = "\n".join([f"{_V4}-PAYLOAD", stamp, claim.scope, previous, _EMPTY, hashlib.sha256(data).hexdigest()])
        previous = _seal(key, text)
        if not hmac.compare_digest(previous.encode(), signature.encode()):
            return False
    if not payload.endswith("-TRAILER"):
        return True
    signature = trailers.pop("x-amz-trailer-signature", "")
    lines = "".join(f"{name}:{value}\n" for name, value in trailers.items())
    text = "\n".join([f"{_V4}-TRAILER", stamp, claim.scope, previous, hashlib.sha256(lines.encode()).hexdigest()])
    return hmac.compare_digest(_seal(key, text).encode(), signature.encode()) and _checksums_are_right(chunks, trailers)


def _aws_chunks(body: bytes) -> tuple[list[tuple[bytes, str]], dict[str, str]] | None:
    """Data and signature of each chunk (the empty last one too), and the trailers; None for anything else."""
    chunks: list[tuple[bytes, str]] = []
    at = 0
    while True:
        end = body.find(b"\r\n", at)
        if end < 0:
            return None
        size, _, extension = body[at:end].decode("latin-1").partition(";")
        length = int(size, 16)
        data = body[end + 2 : end + 2 + length]
        if len(data) < length:
            return None
        chunks.append((data, extension.partition("chunk-signature=")[2].strip()))
        at = end + 2 + length
        if length:
            at += 2
            continue
        rest = body[at:].decode("latin-1").split("\r\n")
        found = (line.partition(":") for line in rest if ":" in line)
        return chunks, {name.strip().lower(): value.strip() for name, _, value in found}


def _checksums_are_right(chunks: list[tuple[bytes, str]], trailers: Mapping[str, str]) -> bool:
    """Whether the checksums in the trailers that can be computed here are those of the data."""
    data = b"".join(piece for piece, _ in chunks)
    for name, make in (("x-amz-checksum-sha256", hashlib.sha256), ("x-amz-checksum-sha1", hashlib.sha1)):
        if name in trailers and trailers[name] != base64.b64encode(make(data).digest()).decode():
            return False
    return trailers.get("x-amz-checksum-crc32") in (None, _crc32(data))


def _crc32(data: bytes) -> str:
    import zlib

    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
