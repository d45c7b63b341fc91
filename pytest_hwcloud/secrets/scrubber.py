"""Takes the secrets out of requests and answers: by header, field name and shape, and known values in every encoding.

A text is opened layer by layer (JSON inside JSON, percent-encoding, base64, gzip), cleaned inside, and closed again the
same way, so that what replays is still what the program expects.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Mapping
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.files.json_lossless import Members, Numeral, compact, parse_container
from pytest_hwcloud.secrets import shapes
from pytest_hwcloud.secrets.encodings import MASK
from pytest_hwcloud.secrets.field_names import bare, is_access_key, is_kept, is_secret
from pytest_hwcloud.secrets.substitutions import Swaps

_DEPTH = 5  # layers that are opened
_ROOM, _EACH = 1 << 20, 100  # characters of texts that are kept, and what each costs besides
_LEARN_FROM = 8  # characters of a found secret, from which on it is looked for everywhere
_PERCENT = re.compile(r"[^\s\"'<>&=;,|]*%[0-9A-Fa-f]{2}[^\s\"'<>&=;,|]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_FORM = re.compile(r"[\w.\-%+]+=[^\s&]*(?:&[\w.\-%+]+=[^\s&]*)*")
_GZIP = b"\x1f\x8b"
_NAMING, _VALUE = frozenset({"key", "name", "paramname", "field"}), frozenset({"value", "paramvalue"})


class _Cleaned:
    """Texts and what they became, as long as no more is known: most members of most answers come again."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.texts: dict[tuple[str, int], str] = {}
        self._room = _ROOM

    def add(self, text: str, depth: int, clean: str) -> None:
        if self._room > len(text):
            self._room -= len(text) + _EACH
            self.texts[text, depth] = clean


class Scrubber:
    """Cleans exchanges, and remembers the secrets that it meets: seen once, gone everywhere."""

    def __init__(self, swaps: Swaps | None = None) -> None:
        self.swaps = swaps or Swaps()
        self._cleaned = _Cleaned(self.swaps.version)

    # what the rules find on their way -------------------------------------------------------------------------------
    def learn(self, secret: str) -> None:
        """Look for this value everywhere from now on, if it cannot be an ordinary word."""
        kinds = sum(any(map(test, secret)) for test in (str.islower, str.isupper, str.isdigit))
        if len(secret) >= _LEARN_FROM and MASK not in secret and (kinds > 1 or not secret.isalnum()):
            self.swaps.hide(secret)

    def learn_access_key(self, key: str) -> None:
        """Give this access key a stand-in, if it has none."""
        self.swaps.exchange(key, shapes.invented_access_key(key))

    # whole messages -------------------------------------------------------------------------------------------------
    def request(self, request: Request) -> Request:
        """The request as it is recorded, and as a live one is looked up."""
        self._learn_headers(request.headers)
        url, body = self.url(request.url), self.body(request.body, request.headers.get("content-type", ""))
        return Request(request.method, url, self.headers(request.headers, "request"), body)

    def answer(self, answer: Answer, method: str = "GET") -> Answer:
        """The answer as it is recorded; the length is kept where it is the answer (HEAD)."""
        self._learn_headers(answer.headers)
        headers = self.headers(answer.headers, "answer")
        if method == "HEAD" and (length := answer.header("content-length")):
            headers["Content-Length"] = length
        body = self.body(answer.body, answer.header("content-type") or "")
        return Answer(answer.status, headers, body, self.text(answer.reason))

    def headers(self, headers: Mapping[str, str], side: str) -> dict[str, str]:
        """The headers worth keeping, clean, in the order of their names."""
        kept = {name: str(value) for name, value in headers.items() if is_kept(name, side)}
        return {name: self.header(name, kept[name]) for name in sorted(kept, key=str.lower)}

    def header(self, name: str, value: str) -> str:
        """The value of one header, clean."""
        if is_secret(name):
            self.learn(value)
            return MASK
        return self.url(value) if "://" in value else self.text(value)

    def _learn_headers(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            if bare(name) in ("cookie", "setcookie"):
                for part in str(value).split(";"):
                    self.learn(part.partition("=")[2].strip())
            elif is_secret(name) and " " not in str(value):
                self.learn(str(value))
            elif bare(name) in ("authorization", "proxyauthorization"):
                shapes.apply(str(value), self)

    def url(self, url: str) -> str:
        """The URL with its ids exchanged and its secrets masked; parameters keep their order and spelling."""
        head, question, rest = url.partition("?")
        query, sharp, fragment = rest.partition("#")
        return self.text(head) + question + self._form(query) + sharp + self.text(fragment)

    def body(self, body: bytes, content_type: str = "", depth: int = 0) -> bytes:
        """The body, clean; JSON in one line if anything changed, otherwise the very same bytes."""
        if not body:
            return body
        if body.startswith(_GZIP) and depth < _DEPTH:
            return self._gzip(body, depth)
        try:
            text = body.decode()
        except UnicodeDecodeError:  # not a text: letters and bytes one to one, so that nothing else is touched
            text = body.decode("latin-1")
            return self.swaps(shapes.apply(text, self)).encode("latin-1", errors="replace")
        form = "x-www-form-urlencoded" in content_type or _FORM.fullmatch(text) is not None
        return (self._form(text) if form else self.text(text)).encode()

    # texts and documents --------------------------------------------------------------------------------------------
    def text(self, text: str, depth: int = 0) -> str:
        """The text, clean, whatever it is: a JSON document, or words with something inside."""
        if not text or depth > _DEPTH:
            return self.swaps(text)
        known = self._cleaned
        if known.version != self.swaps.version:
            known = self._cleaned = _Cleaned(self.swaps.version)
        clean = known.texts.get((text, depth))
        if clean is None:
            clean = self._opened(text, depth)
            if known.version == self.swaps.version:  # nothing was learnt from it, and nothing will be
                known.add(text, depth, clean)
        return clean

    def _opened(self, text: str, depth: int) -> str:
        document = parse_container(text)
        if document is not None:
            clean = self.document(document, depth=depth + 1)
            return text if clean == document else compact(clean)
        if "%" in text:
            text = _PERCENT.sub(lambda match: self._percent(match[0], depth), text)
        text = _BASE64.sub(lambda match: self._base64(match[0], depth), text)
        text = shapes.apply(text, self)
        return self.swaps(text)

    def document(self, value: object, name: str = "", parent: str = "", depth: int = 0) -> object:
        """A JSON document, clean; `name` is the member it stands under, `parent` the member around that."""
        match value:
            case Members():
                hint = next((v for k, v in value if bare(k) in _NAMING and isinstance(v, str)), "")
                return Members(
                    (self.swaps(k), self.document(v, hint if hint and bare(k) in _VALUE else k, name, depth))
                    for k, v in value
                )
            case list():
                return [self.document(item, name, parent, depth) for item in value]
            case str():
                return self._member(value, name, parent, depth)
        return value

    def _member(self, value: str, name: str, parent: str, depth: int) -> str:
        if is_secret(name, parent) and value and value != MASK:
            self.learn(value)
            return Numeral("0") if isinstance(value, Numeral) else MASK
        if isinstance(value, Numeral):
            return value
        if is_access_key(name) and shapes.ACCESS_KEY.fullmatch(value):
            self.learn_access_key(value)
        return self.text(value, depth)

    # layers ---------------------------------------------------------------------------------------------------------
    def _form(self, text: str) -> str:
        return "&".join(self._parameter(part) for part in text.split("&"))

    def _parameter(self, part: str) -> str:
        name, equals, written = part.partition("=")
        value, plus = unquote_plus(written), "+" in written
        label = unquote_plus(name)
        if is_secret(label) and value:
            self.learn(value)
            return f"{name}={MASK}"
        if is_access_key(label) and shapes.ACCESS_KEY.fullmatch(value):
            self.learn_access_key(value)
        clean = self.text(value, 1)
        if clean == value:
            return self.text(name, 1) + equals + written
        return name + equals + (quote_plus if plus else quote)(clean, safe="*")

    def _percent(self, run: str, depth: int) -> str:
        inner = unquote(run, errors="surrogateescape")
        clean = self.text(inner, depth + 1)
        return run if clean == inner else quote(clean, safe="/:@*", errors="surrogateescape")

    def _base64(self, run: str, depth: int) -> str:
        raw = _decoded(run)
        if raw is None:
            return "/".join(self._base64(part, depth) for part in run.split("/")) if "/" in run else run
        if raw.startswith(_GZIP):
            clean = self._gzip(raw, depth + 1)
        else:
            try:
                clean = self.text(raw.decode(), depth + 1).encode()
            except UnicodeDecodeError:
                return run
        if clean == raw:
            return run
        encode = base64.urlsafe_b64encode if "-" in run or "_" in run else base64.b64encode
        written = encode(clean).decode()
        return written if len(run) % 4 == 0 else written.rstrip("=")

    def _gzip(self, body: bytes, depth: int) -> bytes:
        try:
            inner = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            return self.swaps(body.decode("latin-1")).encode("latin-1", errors="replace")
        clean = self.body(inner, depth=depth + 1)
        return body if clean == inner else gzip.compress(clean, mtime=0)


def _decoded(run: str) -> bytes | None:
    padded = run.rstrip("=") + "=" * (-len(run.rstrip("=")) % 4)
    try:
        raw = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    if raw.startswith(_GZIP):
        return raw
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return raw if all(letter.isprintable() or letter in "\r\n\t" for letter in text) else None
