"""The key under which a request is recorded and found: method, scheme, host and port, path, sorted query."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from urllib.parse import parse_qsl, quote, unquote

_PLAIN = re.compile(r"[A-Za-z0-9/_.~-]*").fullmatch
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9_.~=&-]*").fullmatch
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
    return f"{method} {scheme}://{host}/{path}" + (f"?{_canonical(query)}" if query else "")


def _canonical(query: str) -> str:
    if _PLAIN_QUERY(query):
        return "&".join(sorted(query.split("&"))) if "&" in query else query
    pairs = sorted(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))
    return "&".join(f"{quote(k, safe='~', errors='surrogateescape')}={_quoted(v)}" for k, v in pairs)


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
