"""Existence proofs: the smallest code that reaches the proposed figures.

These are not the plugin and not its design; they only show that a goal is
physically possible on this machine with the real semantics kept (same
signature bytes as the SDK, same answers, each recorded answer played once).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections import deque
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit


# --------------------------------------------------------------------------- cassettes
def key(method: str, url: str) -> tuple[str, str, str, str, str]:
    """What vcrpy compares by default: method, scheme, host and port, path, sorted query."""
    u = urlsplit(url)
    query = u.query
    if "&" in query:
        query = "&".join(sorted(query.split("&")))
    return method, u.scheme, u.netloc, u.path or "/", query


class IndexedCassette:
    def __init__(self, index: dict[tuple, deque], blob: bytes | None = None) -> None:
        self.index, self.blob = index, blob

    @classmethod
    def whole(cls, path) -> IndexedCassette:
        index: dict[tuple, deque] = {}
        for item in json.loads(path.read_bytes())["interactions"]:
            k = key(item["method"], item["url"])
            if k in index:
                index[k].append(item)
            else:
                index[k] = deque((item,))
        return cls(index)

    @classmethod
    def lazy(cls, path) -> IndexedCassette:
        blob = path.read_bytes()
        size = int(blob[:12])
        index: dict[tuple, Any] = {}
        for k, start, end in json.loads(blob[12 : 12 + size]):
            index.setdefault(k, []).append((start, end))
        return cls(index, blob)

    def take(self, method: str, url: str) -> dict:
        if self.blob is None:
            return self.index[key(method, url)].popleft()
        start, end = self.index["\n".join(key(method, url))].pop(0)
        return json.loads(self.blob[start:end])


def write_sidecar(path, items: list[dict]) -> None:
    docs = [
        json.dumps(
            i if isinstance(i.get("body"), str) else {**i, "body": i["body"].decode()}, ensure_ascii=False
        ).encode()
        for i in items
    ]
    rows, at = [], 0
    for item, doc in zip(items, docs, strict=False):
        rows.append(("\n".join(key(item["method"], item["url"])), at, at + len(doc)))
        at += len(doc) + 1
    shift = 0
    while True:  # the offsets count from the start of the file, so they depend on the length of the index itself
        head = json.dumps([(k, a + shift, b + shift) for k, a, b in rows], ensure_ascii=False).encode()
        want = 12 + len(head) + 1
        if shift == want:
            break
        shift = want
    path.write_bytes(b"%12d" % len(head) + head + b"\n" + b"\n".join(docs))


def session(cassette: IndexedCassette):
    import requests
    from requests.adapters import BaseAdapter
    from requests.structures import CaseInsensitiveDict

    class Replay(BaseAdapter):
        def send(self, request, **kwargs):
            item = cassette.take(request.method, request.url)
            r = requests.Response()
            r.status_code, r.reason, r.headers = item["status"], item["reason"], CaseInsensitiveDict(item["headers"])
            b = item["body"]
            r._content = b.encode() if isinstance(b, str) else b
            r.request, r.url, r.encoding = request, request.url, "utf-8"
            return r

        def close(self) -> None:
            pass

    s = requests.Session()
    s.mount("https://", Replay())
    s.mount("http://", Replay())
    return s


def lean_session(cassette: IndexedCassette):
    """A session of its own class: send() answers, and the environment's proxies are not looked up for a replay."""
    import requests
    from requests.structures import CaseInsensitiveDict

    class ReplaySession(requests.Session):
        def __init__(self) -> None:  # requests.Session() builds two pools of connections that a replay never uses
            self.headers, self.cookies = requests.utils.default_headers(), requests.cookies.cookiejar_from_dict({})
            self.hooks, self.adapters = requests.hooks.default_hooks(), {}
            self.auth = self.cert = None
            self.proxies, self.params = {}, {}
            self.stream, self.verify, self.max_redirects, self.trust_env = False, True, 30, False

        def send(self, request, **kwargs):
            item = cassette.take(request.method, request.url)
            r = requests.Response()
            r.status_code, r.reason, r.headers = item["status"], item["reason"], CaseInsensitiveDict(item["headers"])
            b = item["body"]
            r._content = b.encode() if isinstance(b, str) else b
            r._content_consumed = True
            r.request, r.url, r.encoding = request, request.url, "utf-8"
            return r

    return ReplaySession()


# --------------------------------------------------------------------------- signing
_SAFE = re.compile(r"[A-Za-z0-9_.~-]*\Z").match


@lru_cache(4096)
def _q(s: str) -> str:
    return s if _SAFE(s) else quote(s, safe="~")


@lru_cache(1024)
def _path(path: str) -> str:
    p = "/".join(_q(x) for x in unquote(path).split("/"))
    return p if p.endswith("/") else p + "/"


_EMPTY = hashlib.sha256(b"").hexdigest()


class LeanSigner:
    """SDK-HMAC-SHA256 with what repeats computed once: quoted words, paths, the header block's shape."""

    def __init__(self, ak: str, sk: str) -> None:
        self.sk = sk.encode()
        self.ak = ak
        self.shapes: dict[tuple, tuple] = {}

    def sign(
        self,
        method: str,
        path: str,
        query: list[tuple[str, Any]],
        headers: dict[str, str],
        body: bytes | None,
        date: str,
    ) -> str:
        """The Authorization header; headers hold Host and X-Sdk-Date already."""
        names = tuple(headers)
        shape = self.shapes.get(names)
        if shape is None:
            order = sorted((n.lower(), n) for n in names if "_" not in n)
            shape = self.shapes[names] = (order, ";".join(low for low, _ in order))
        order, signed = shape
        if query:
            q = "&".join(
                [
                    _q(k) + "=" + _q(v if v.__class__ is str else str(v).lower() if v is True or v is False else str(v))
                    for k, v in sorted(query)
                ]
            )
        else:
            q = ""
        block = "\n".join([low + ":" + headers[n].strip() for low, n in order])
        payload = hashlib.sha256(body).hexdigest() if body else _EMPTY
        canonical = f"{method}\n{_path(path)}\n{q}\n{block}\n\n{signed}\n{payload}"
        to_sign = f"SDK-HMAC-SHA256\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        return f"SDK-HMAC-SHA256 Access={self.ak}, SignedHeaders={signed}, Signature={hmac.digest(self.sk, to_sign.encode(), 'sha256').hex()}"


# --------------------------------------------------------------------------- policies
def _glob(patterns: list[str]) -> str:
    return "|".join("".join(".*" if c == "*" else re.escape(c) for c in p) for p in patterns)


class CompiledPolicy:
    """Deny wins, then allow. Exact pairs in sets; wildcards in one alternation for each service word; decisions kept."""

    def __init__(self, document: dict) -> None:
        self.exact = {"Allow": set(), "Deny": set()}
        buckets: dict[str, dict[str, list[str]]] = {"Allow": {}, "Deny": {}}
        for s in document["Statement"]:
            effect = s["Effect"]
            acts = s["Action"] if isinstance(s["Action"], list) else [s["Action"]]
            ress = s.get("Resource", ["*"])
            ress = ress if isinstance(ress, list) else [ress]
            for a in acts:
                for r in ress:
                    if "*" in a or "*" in r:
                        word = a.split(":", 1)[0]
                        buckets[effect].setdefault("" if "*" in word else word, []).append(_glob([a + "\n" + r]))
                    else:
                        self.exact[effect].add((a, r))
        self.regex = {
            e: {w: re.compile("(?:%s)\\Z" % "|".join(ps), re.S).match for w, ps in b.items()}
            for e, b in buckets.items()
        }
        self.memo: dict[tuple[str, str], bool] = {}

    def _hit(self, effect: str, action: str, resource: str) -> bool:
        if (action, resource) in self.exact[effect]:
            return True
        text = action + "\n" + resource
        regex = self.regex[effect]
        for word in (action.split(":", 1)[0], ""):
            match = regex.get(word)
            if match is not None and match(text):
                return True
        return False

    def allowed_cold(self, action: str, resource: str) -> bool:
        return not self._hit("Deny", action, resource) and self._hit("Allow", action, resource)

    def allowed(self, action: str, resource: str) -> bool:
        k = action, resource
        got = self.memo.get(k)
        if got is None:
            got = self.memo[k] = self.allowed_cold(action, resource)
        return got
