"""The key under which a request is recorded and found: method, scheme, host and port, path, sorted query.

Two queries are the same if they have the same pairs of name and value: in any order, `+` or `%20` for a blank, with or
without `&` too many, `acl` or `acl=`. The credentials of a presigned URL do not count; what it asks for does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from urllib.parse import parse_qsl, quote, unquote

_PLAIN = re.compile(r"[A-Za-z0-9/_.~-]*").fullmatch
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9_.~=&-]*").fullmatch
# What a presigned URL carries to prove who made it, and when: another one each time (OBS and AWS, versions 2 and 4).
_PRESIGNED = frozenset(
    [
        "signature",
        "expires",
        "accesskeyid",
        "awsaccesskeyid",
        "x-obs-security-token",
        "x-obs-date",
        "x-obs-expires",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    ]
)
_DEFAULT_PORT = {"https": ":443", "http": ":80"}
_CANDIDATES = 50  # near misses that are compared in detail; finding them is one pass over the keys

Parts = tuple[str, str, str, str, str]


@lru_cache(maxsize=2048)
def key_of(method: str, url: str) -> str:
    """One string for a request, equal for requests that mean the same (order of the query, default port, encoding)."""
    scheme, _, rest = url.partition("://")
    rest = rest.partition("#")[0]
    rest, _, query = rest.partition("?")
    host, _, path = rest.partition("/")
    host = host.rpartition("@")[2].lower()
    scheme = scheme.lower()
    host = host.removesuffix(_DEFAULT_PORT.get(scheme, " "))
    if not _PLAIN(path):
        path = "/".join(quote(unquote(step), safe="~") for step in path.split("/"))
    if query and (query := _canonical(query)):
        return f"{method} {scheme}://{host}/{path}?{query}"
    return f"{method} {scheme}://{host}/{path}"


def is_presigned(query: str) -> bool:
    """Whether a query carries a signature of OBS or AWS."""
    low = query.lower()
    return "signature=" in low and ("accesskeyid=" in low or "x-amz-credential=" in low)


def _canonical(query: str) -> str:
    presigned = is_presigned(query)
    if _PLAIN_QUERY(query):
        pairs = [part if "=" in part else part + "=" for part in query.split("&") if part]
        if presigned:
            pairs = [part for part in pairs if part.partition("=")[0].lower() not in _PRESIGNED]
        return "&".join(sorted(pairs))
    found = sorted(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))
    if presigned:
        found = [(name, value) for name, value in found if name.lower() not in _PRESIGNED]
    return "&".join(f"{quote(k, safe='~', errors='surrogateescape')}={_quoted(v)}" for k, v in found)


def _quoted(value: str) -> str:
    return quote(value, safe="~", errors="surrogateescape")


def parts(key: str) -> Parts:
    """method, scheme, host, path and query of a key."""
    method, _, url = key.partition(" ")
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    host, _, path = rest.partition("/")
    return method, scheme, host, f"/{path}", query


def digest(body: bytes) -> str | bytes:
    """What makes two bodies the same: equal JSON however it is laid out, else equal bytes."""
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except (ValueError, RecursionError):
        return body


def nearest_key(keys: Iterable[str], wanted: str) -> str | None:
    """The recorded key that is most like the wanted one; None for an empty cassette."""
    listed = list(keys)
    asked = parts(wanted)
    for hint in (asked[3] + "?", asked[3], f"://{asked[2]}/", asked[3].rpartition("/")[2] or " ", ""):
        near = list(islice((key for key in listed if hint in key), _CANDIDATES))
        if near:
            return max(near, key=lambda key: _likeness(parts(key), asked))
    return None


def _likeness(found: Parts, asked: Parts) -> tuple[int, int, int]:
    same = sum(weight for weight, a, b in zip((2, 1, 3, 4, 1), found, asked, strict=True) if a == b)
    steps = len(set(found[3].split("/")) & set(asked[3].split("/"))) + len(
        set(found[2].split(".")) & set(asked[2].split("."))
    )
    pairs = len(set(found[4].split("&")) & set(asked[4].split("&")))
    return same, steps, pairs
