"""Takes the secrets out of requests and answers: by header, field name and shape, and known values in every encoding.

A text is opened layer by layer (JSON inside JSON, percent-encoding, base64, entities, gzip and its kin), cleaned
inside, and closed again the same way, so that what replays is still what the program expects. Only values change: no
number, no order, no blank of a document does.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from pytest_hwcloud.cloud.transfer_coding import coded, opened
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.secrets import archives, shapes
from pytest_hwcloud.secrets.detector import firewall_cookies, set_cookies
from pytest_hwcloud.secrets.encodings import MASK
from pytest_hwcloud.secrets.field_names import (
    bare,
    hides,
    is_access_key,
    is_kept,
    is_numeric,
    is_plural,
    is_secret,
    is_secret_header,
    is_trivial,
    kind_of,
    word_set,
    words_of,
)
from pytest_hwcloud.secrets.substitutions import Swaps

_DEPTH = 6  # layers that are opened
_ROOM, _EACH = 1 << 20, 100  # characters of texts that are kept, and what each costs besides
_LEARN_FROM = 8  # characters of a found secret, from which on it is looked for everywhere
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_BORDERS = frozenset(" \t\r\n\"'<>&=;,|`\\{}()")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}+={0,2}")
_WRAPPED = re.compile(r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{40,76}+\r?\n[ \t]*+)++(?:[A-Za-z0-9+/]{1,76}+={0,2})?+")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}){12,}+(?![0-9A-Za-z])")
_FORM = re.compile(r"[\w.\-%+$~\[\]]{1,200}=[^\s&\"<>]*+(?:&[^\s&={}<>\"]{0,200}(?:=[^\s&\"<>]*+)?)*+")
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
_NAMING = frozenset(
    {"key", "name", "paramname", "field", "fieldname", "parameterkey", "parametername", "variable", "id"}
)
_VALUE = frozenset({"value", "paramvalue", "fieldvalue", "parametervalue", "content", "defaultvalue", "default"})
# Words, ids, dates and addresses, as most members of most answers are.
_SIMPLE = re.compile(
    r"[a-z][a-z_]{0,30}|[A-Z][A-Z_]{0,18}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d(?:[T ][\d:.]{5,15}Z?)?|\d{1,3}(?:\.\d{1,3}){3}"
)
_SHORTEST_BODY = 2
_FLAG = re.compile(r"--?([A-Za-z][\w.-]{0,60})")
_MAGIC: tuple[tuple[bytes, str], ...] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
# Control characters that no text has, in any encoding; of a hundred bytes of a binary file a few at least.
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\f\r\x1b"))
_BINARY = 50  # one in so many bytes
# A text between such bytes: ASCII and UTF-8. Shorter ones come by chance.
_RUN = re.compile(
    rb"(?:[\t\n\f\r\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){12,}+"
)
_PACKED = (*(magic for magic, _ in _MAGIC), archives.ZIP)


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


_FRESH = _Cleaned(0)  # of all scrubbers that know nothing yet


class Scrubber:
    """Cleans exchanges, and remembers the secrets that it meets: seen once, gone everywhere."""

    def __init__(self, swaps: Swaps | None = None) -> None:
        self.swaps = swaps or Swaps()
        self._cleaned = _Cleaned(self.swaps.version) if self.swaps.version else _FRESH

    # what the rules find on their way -------------------------------------------------------------------------------
    def learn(self, secret: str) -> None:
        """Look for this value everywhere from now on, if it cannot be an ordinary word."""
        kinds = sum(any(map(test, secret)) for test in (str.islower, str.isupper, str.isdigit))
        if len(secret) >= _LEARN_FROM and MASK not in secret and (kinds > 1 or not secret.isalnum()):
            self.swaps.hide(secret)

    def learn_access_key(self, key: str) -> None:
        """Give this access key a stand-in, if it has none."""
        if not key.startswith(shapes.INVENTED):
            self.swaps.exchange(key, shapes.invented_access_key(key))

    # whole messages -------------------------------------------------------------------------------------------------
    def request(self, request: Request) -> Request:
        """The request as it is recorded, and as a live one is looked up."""
        self._learn_headers(request.headers)
        version = self.swaps.version
        url = self.url(request.url)
        headers = self.headers(request.headers, "request")
        body = self._coded_body(request)
        if self.swaps.version != version:  # what was met late is hidden in what came first
            url, body = self.swaps(url), self._known(body)
            headers = {name: self.swaps(value) for name, value in headers.items()}
        return Request(request.method, url, headers, body)

    def _coded_body(self, request: Request) -> bytes:
        """The body, clean, in the coding that it has."""
        content_type = request.headers.get("content-type", "")
        if request.body and request.headers.get("content-encoding"):
            _, plain, coding = opened(request.headers, request.body)
            if coding and plain != request.body:
                clean = self.body(plain, content_type)
                return request.body if clean == plain else coded(clean, coding) or clean
        return self.body(request.body, content_type)

    def answer(self, answer: Answer, method: str = "GET") -> Answer:
        """The answer as it is recorded; the length is kept where there is no body (HEAD, 204, 304)."""
        self._learn_headers(answer.headers)
        version = self.swaps.version
        headers = self.headers(answer.headers, "answer")
        reason = self.text(answer.reason)
        body = self.body(answer.body, answer.header("content-type") or "")
        repeated = {
            name: tuple(self.header(name, one) for one in values if not firewall_cookies(name, one))
            for name, values in answer.repeated.items()
            if name in headers
        }
        if self.swaps.version != version:
            body, reason = self._known(body), self.swaps(reason)
            headers = {name: self.swaps(value) for name, value in headers.items()}
            repeated = {name: tuple(map(self.swaps, values)) for name, values in repeated.items()}
        headers |= {name: ", ".join(values) for name, values in repeated.items()}
        if (method == "HEAD" or answer.status in (204, 304)) and (length := answer.header("content-length")):
            headers["Content-Length"] = length
        packed = answer.packed if body == answer.body else b""
        return replace(answer, headers=headers, body=body, reason=reason, packed=packed, repeated=repeated)

    def headers(self, headers: Mapping[str, str], side: str) -> dict[str, str]:
        """The headers worth keeping, clean; those of an answer as they came, those of a request by their names."""
        kept = {name: str(value) for name, value in headers.items() if is_kept(name, side)}
        for name in [name for name in kept if name.lower() == "set-cookie"]:
            cookies = [one.strip() for one in set_cookies(kept[name]) if not firewall_cookies(name, one)]
            if cookies:
                kept[name] = ", ".join(cookies)
            else:
                del kept[name]
        order = kept if side == "answer" else sorted(kept, key=str.lower)
        return {name: self.header(name, kept[name]) for name in order}

    def header(self, name: str, value: str) -> str:
        """The value of one header, clean."""
        if name.lower() == "set-cookie":
            return ", ".join(self._set_cookie(one) for one in set_cookies(value))
        if is_secret(name) and not is_trivial(value):
            self.learn(value)
            return MASK
        return self.url(value) if "://" in value and " " not in value else self.text(value)

    def _set_cookie(self, value: str) -> str:
        """A cookie as the client has to see it, its value masked."""
        pair, semicolon, attributes = value.partition(";")
        name, equals, _ = pair.partition("=")
        return f"{name}{equals}{MASK}{semicolon}{self.text(attributes)}" if equals else MASK

    def _learn_headers(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            short = bare(name)
            if short in ("cookie", "setcookie"):
                for part in str(value).replace(",", ";").split(";"):
                    self.learn(part.partition("=")[2].strip())
            elif short in ("authorization", "proxyauthorization"):
                shapes.apply(str(value), self)
            elif is_secret_header(name) and " " not in str(value):
                self.learn(str(value))

    def url(self, url: str) -> str:
        """The URL with its ids exchanged and its secrets masked; parameters keep their order and spelling."""
        head, question, rest = url.partition("?")
        query, sharp, fragment = rest.partition("#")
        if not question:
            head, sharp, fragment = url.partition("#")
        clean = self._path(head) + question + self._form(query, head)
        return clean + sharp + (self._form(fragment) if "=" in fragment else self.text(fragment))

    def _path(self, head: str) -> str:
        """The part in front of the query; each step of the path keeps its own spelling (`%2F` is no slash)."""
        if "%" not in head:
            return self.text(head)
        head = shapes.steps(head, self)
        start = head.find("/", head.find("://") + 3) if "://" in head else 0
        return self.text(head[:start]) + "/".join(self._step(step) for step in head[start:].split("/"))

    def _step(self, step: str) -> str:
        inner = unquote(step, errors="surrogateescape")
        clean = self.text(inner, 1)
        return step if clean == inner else quote(clean, safe=":@*~!$&'()+,;=", errors="surrogateescape")

    def body(self, body: bytes, content_type: str = "", depth: int = 0) -> bytes:
        """The body, clean; where nothing is secret the very same bytes."""
        if len(body) < _SHORTEST_BODY:
            return body
        coding = next((name for magic, name in _MAGIC if body.startswith(magic)), None)
        if coding is not None and depth < _DEPTH:
            return self._packed(body, coding, depth)
        if depth < _DEPTH and archives.is_archive(body):
            return archives.rewritten(body, lambda inner: self.body(inner, depth=depth + 1))
        text, encoding = _decoded_text(body, content_type)
        if text is None:  # not a text: letters and bytes one to one, so that nothing else is touched
            if depth < _DEPTH and body[:1] == b"\x78" and _unpacked(body, "deflate") is not None:
                return self._packed(body, "deflate", depth)
            if _is_binary(body):
                return self._known(self._texts_in(body))
            text = body.decode("latin-1")
            return self.swaps(shapes.apply(text, self)).encode("latin-1", errors="replace")
        form = "x-www-form-urlencoded" in content_type or (text[:1] not in "{[<" and _FORM.fullmatch(text) is not None)
        clean = self._form(text) if form else self.text(text)
        return body if clean == text else clean.encode(encoding, errors="replace")

    def _texts_in(self, body: bytes) -> bytes:
        """A program, an image, something compressed or encrypted, cleaned in the texts inside it alone.

        Two letters and a colon stand in any megabyte of it by chance, and what follows them is no secret.
        """
        parts, at = [], 0
        for run in _RUN.finditer(body):
            text = run[0].decode("utf-8", "surrogateescape")
            clean = shapes.apply(text, self)
            if clean != text:
                parts += [body[at : run.start()], clean.encode("utf-8", "surrogateescape")]
                at = run.end()
        return b"".join([*parts, body[at:]]) if parts else body

    def _known(self, body: bytes) -> bytes:
        """The body without what is known by now."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = body.decode("latin-1")
            clean = self.swaps(text)
            return body if clean == text else clean.encode("latin-1", errors="replace")
        clean = self.swaps(text)
        return body if clean == text else clean.encode()

    # texts and documents --------------------------------------------------------------------------------------------
    def text(self, text: str, depth: int = 0) -> str:
        """The text, clean, whatever it is: a JSON document, or words with something inside."""
        if depth > _DEPTH or (len(text) < 12 and text.isalnum()) or _SIMPLE.fullmatch(text):
            return self.swaps(text)
        known = self._cleaned
        if known.version != self.swaps.version:
            known = self._cleaned = _Cleaned(self.swaps.version)
        found = known.texts.get((text, depth))
        if found is None:
            found = self._text(text, depth)
            if known.version == self.swaps.version:
                known.add(text, depth, found)
        return found

    def _text(self, text: str, depth: int) -> str:
        document = self.document(text, depth)
        if document is not None:
            return self.swaps(document)
        if len(text) > 2:
            if "%" in text:
                text = self._percent(text, depth)
            if "&" in text and ("&quot;" in text or "&#" in text or "&lt;" in text):
                text = self._entities(text, depth)
            text = self._encoded(text, depth)
            text = shapes.apply(text, self)
        return self.swaps(text)

    def document(self, text: str, depth: int = 0) -> str | None:
        """A JSON document, clean, everything but the values as it was; None for any other text."""
        stripped = text.strip()
        if stripped[:1] + stripped[-1:] not in ("{}", "[]", '""') or len(stripped) < _SHORTEST_BODY:
            return None
        try:
            json.loads(stripped)
        except (ValueError, RecursionError):
            return None
        return _Document(text, self, depth).clean()

    def member(self, name: str, value: str, parent: str, depth: int) -> str:
        """A text under a name, clean."""
        if hides(name, value, parent):
            self.learn(value)
            return MASK
        if is_access_key(name) and _key_of_capitals(value):
            self.learn_access_key(value)
        words = words_of(name)
        if words and words[-1] in _SERIALS and shapes.ACCESS_KEY.fullmatch(value):
            return self.swaps(value)
        return self.text(value, depth)

    # layers ---------------------------------------------------------------------------------------------------------
    def _form(self, text: str, address: str = "") -> str:
        if not text:
            return text
        parts = text.split("&")
        names = {part.partition("=")[0].lower() for part in parts[:200]}
        code = "grant_type" in names or {"code", "state"} <= names
        hook = "key" in names and re.search(r"(?i)hook|robot", address) is not None
        return "&".join(self._parameter(part, ("code",) if code else ("key",) if hook else ()) for part in parts)

    def _parameter(self, part: str, secret: tuple[str, ...]) -> str:
        name, equals, written = part.partition("=")
        value, plus = unquote_plus(written), "+" in written
        label = unquote_plus(name)
        if value and (label.lower() in secret or hides(label, value) or hides(label, unquote(value))):
            self.learn(value)
            return f"{name}={MASK}"
        if is_access_key(label) and _key_of_capitals(value):
            self.learn_access_key(value)
        clean = self.text(value, 1)
        if clean == value:
            return self.text(name, 1) + equals + written
        safe = "*" + "".join({letter for letter in written if not letter.isalnum() and letter != "%"})
        return name + equals + (quote_plus if plus else quote)(clean, safe=safe)

    def _percent(self, text: str, depth: int) -> str:
        """Runs with percent-encoding in them: a run is read once, from border to border."""
        parts, at = [], 0
        for escape in _ESCAPE.finditer(text):
            if escape.start() < at:
                continue
            start = escape.start()
            while start > at and text[start - 1] not in _BORDERS:
                start -= 1
            stop = escape.end()
            while stop < len(text) and text[stop] not in _BORDERS:
                stop += 1
            run = text[start:stop]
            inner = unquote(run, errors="surrogateescape")
            clean = self.text(inner, depth + 1)
            if clean != inner:
                safe = "*" + "".join({letter for letter in run if not letter.isalnum() and letter != "%"})
                run = quote(clean, safe=safe, errors="surrogateescape")
            parts += [text[at:start], run]
            at = stop
        return "".join([*parts, text[at:]])

    def _entities(self, text: str, depth: int) -> str:
        inner = html.unescape(text)
        if inner == text:
            return text
        clean = self.text(inner, depth + 1)
        if clean == inner:
            return text
        known = self.swaps(text)  # most values are learnt, and are replaced in place
        if html.unescape(known) == clean:
            return known
        return html.escape(clean, quote="&quot;" in text or "&#" in text)

    def _encoded(self, text: str, depth: int) -> str:
        if len(text) < 12:
            return text
        if "\n" in text:
            text = _WRAPPED.sub(lambda match: self._wrapped(match[0], depth), text)
        text = _BASE64.sub(lambda match: self._base64(match[0], depth), text)
        return _HEX.sub(lambda match: self._hex(match[0], depth), text) if len(text) >= 24 else text

    def _wrapped(self, block: str, depth: int) -> str:
        """Base64 over several lines."""
        block, tail = block.rstrip(), block[len(block.rstrip()) :]
        if "\n" not in block:
            return block + tail  # one line, which is looked at by itself
        whole = "".join(block.split())
        clean = self._base64(whole, depth)
        if clean == whole:
            return block + tail
        first = block.index("\n")
        width = len(block[:first].rstrip("\r"))
        margin = re.match(r"\r?\n[ \t]*", block[first - (block[first - 1] == "\r") :])
        between = margin[0] if margin else "\n"
        return between.join(clean[at : at + width] for at in range(0, len(clean), width)) + tail

    def _base64(self, run: str, depth: int) -> str:
        raw = _debased(run)
        if raw is None:
            return "/".join(self._base64(part, depth) for part in run.split("/")) if "/" in run else run
        if raw.startswith(_PACKED):
            clean = self.body(raw, depth=depth + 1)
        else:
            text, encoding = _decoded_text(raw, "")
            if text is None:
                return run
            clean = self.text(text, depth + 1).encode(encoding, errors="replace")
        if clean == raw:
            return run
        encode = base64.urlsafe_b64encode if "-" in run or "_" in run else base64.b64encode
        written = encode(clean).decode()
        return written if len(run) % 4 == 0 else written.rstrip("=")

    def _hex(self, run: str, depth: int) -> str:
        text = _decoded_text(bytes.fromhex(run), "")[0]
        if text is None or not _is_printable(text):
            return run
        clean = self.text(text, depth + 1)
        if clean == text:
            return run
        return clean.encode().hex() if run == run.lower() else clean.encode().hex().upper()

    def _packed(self, body: bytes, coding: str, depth: int) -> bytes:
        inner = _unpacked(body, coding)
        if inner is None:
            return self.swaps(body.decode("latin-1")).encode("latin-1", errors="replace")
        clean = self.body(inner, depth=depth + 1)
        return body if clean == inner else _PACK[coding](clean)


_SERIALS = word_set("""
    serial sn number no imei iccid barcode batch order invoice part product model version build revision tracking
    device asset plate etag hash checksum uuid
""")


class _Frame:
    """An object or a list that is open. members: name, start and end of the token, text, of its direct texts."""

    __slots__ = ("is_list", "members", "name", "parent", "sensitive")

    def __init__(self, is_list: bool, name: str, parent: str) -> None:
        self.is_list, self.name, self.parent = is_list, name, parent
        self.members: list[tuple[str, int, int, str | None]] = []
        self.sensitive = False


class _Document:
    """One JSON document, read token by token; its texts are replaced where they stand."""

    def __init__(self, text: str, scrubber: Scrubber, depth: int) -> None:
        self.text, self.scrubber, self.depth = text, scrubber, depth
        self.edits: list[tuple[int, int, str]] = []

    def clean(self) -> str:
        text = self.text
        stack: list[_Frame] = [_Frame(True, "", "")]
        key: str | None = None
        for token in _TOKEN.finditer(text):
            first = text[token.start()]
            top = stack[-1]
            if first == '"':
                word = _unquoted(token[0])
                if top.is_list or key is not None:
                    top.members.append((top.name if top.is_list else key or "", token.start(), token.end(), word))
                    key = None
                else:
                    key = word
                    self.key(token.start(), token.end(), word)
            elif first in "{[":
                name = top.name if top.is_list else key or ""
                parent = top.parent if top.is_list else top.name
                stack.append(_Frame(first == "[", name, parent))
                key = None
            elif first in "}]":
                done = stack.pop()
                if done.is_list and bare(done.name) in ("value", "values") and not stack[-1].is_list:
                    rows = [("value", start, end, word) for _, start, end, word in done.members]
                    stack[-1].members += rows  # judged by their siblings
                else:
                    self.finish(done)
            elif first not in ",:":
                if not top.is_list and key is not None:
                    top.sensitive = top.sensitive or (key == "sensitive" and token[0] == "true")
                    self.number(key, token)
                key = None
        self.finish(stack.pop())
        if not self.edits:
            return text
        parts, at = [], 0
        for start, end, new in sorted(self.edits):
            parts += [text[at:start], new]
            at = end
        return "".join([*parts, text[at:]])

    def key(self, start: int, end: int, word: str) -> None:
        clean = self.scrubber.swaps(word)
        if clean != word:
            self.edits.append((start, end, self.quoted(clean, start, end)))

    def number(self, name: str, token: re.Match[str]) -> None:
        if is_numeric(name) and not is_trivial(token[0]):
            self.scrubber.learn(token[0])
            self.edits.append((token.start(), token.end(), "0"))

    def finish(self, frame: _Frame) -> None:
        """All texts of an object or list are known: clean each under the name that it stands under."""
        names = {} if frame.is_list else {bare(name): word for name, _, _, word in frame.members}
        hint = next((names[name] for name in _NAMING if names.get(name)), None)
        every = not frame.is_list and self.all_secret(frame, names)
        previous = ""
        for name, start, end, word in frame.members:
            if word is None:
                continue
            as_name = name
            if (hint and bare(name) in _VALUE and is_secret(hint)) or (
                hint and bare(name) in _VALUE and is_access_key(hint)
            ):
                as_name = hint
            elif frame.is_list and (flag := _FLAG.fullmatch(previous)) and kind_of(flag[1]):
                as_name = flag[1]
            elif bare(name) in _VALUE and not frame.is_list and is_secret(frame.name):
                as_name = frame.name  # {"db_password": {"sensitive": true, "value": "…"}}
            elif (frame.sensitive and bare(name) in _VALUE and not is_trivial(word)) or (
                every and not is_trivial(word)
            ):
                as_name = "secret"
            clean = self.scrubber.member(as_name, word, frame.parent if frame.is_list else frame.name, self.depth + 1)
            if clean != word:
                self.edits.append((start, end, self.quoted(clean, start, end)))
            previous = word

    def all_secret(self, frame: _Frame, names: Mapping[str, str | None]) -> bool:
        """`passwords: {root: …}`, `data: {…}` of a Secret of Kubernetes: every text in it is one."""
        if bare(frame.name) in ("stringdata",):
            return True
        if bare(frame.name) == "data" and self.is_kubernetes_secret():
            return True
        return (
            is_plural(frame.name)
            and bool(frame.members)
            and not any(name in _DESCRIBING or is_secret(name) or is_access_key(name) for name in names)
        )

    def is_kubernetes_secret(self) -> bool:
        return re.search(r'"kind"\s{0,8}:\s{0,8}"Secret(?:List)?"', self.text) is not None

    def quoted(self, word: str, start: int, end: int) -> str:
        """The text as a JSON string, with the letters of other scripts as they were written in this place."""
        raw = self.text[start:end]
        written = json.dumps(word, ensure_ascii=raw.isascii() or not word.isprintable())
        return written.replace("/", "\\/") if "\\/" in raw and "/" in word else written


_DESCRIBING = word_set("""
    id name type status description created createdat updated updatedat createtime updatetime expires expiresat url
    href self next previous version kind region scope source state message count methods user domain project
    algorithm format namespace title label policy rel method path
""")


def _unquoted(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    found: str = json.loads(token, strict=False)
    return found


def _key_of_capitals(value: str) -> bool:
    return len(value) == 20 and value.isascii() and value.isalnum() and value.isupper()


_NO_SPACES = dict.fromkeys(map(ord, "\r\n\t"))


def _is_printable(text: str) -> bool:
    return text.isprintable() or text.translate(_NO_SPACES).isprintable()


def _decoded_text(body: bytes, content_type: str) -> tuple[str | None, str]:
    """The text that these bytes are, and how it is encoded; None if they are none."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16-le" if body[:2] == b"\xff\xfe" else "utf-16-be"
    elif len(body) >= 16 and body[1::2].count(0) == len(body) // 2 and 0 not in body[::2]:
        encoding = "utf-16-le"
    else:
        found = re.search(r"charset=[\"']?([\w-]{3,20})", content_type)
        encoding = found[1].lower() if found else "utf-8"
    for name in dict.fromkeys((encoding, "utf-8")):
        try:
            return body.decode(name), name
        except (UnicodeDecodeError, LookupError):
            continue
    return None, "utf-8"


def _is_binary(body: bytes) -> bool:
    """Whether a body that is no text holds so many control characters that it is none in another encoding either."""
    return (len(body) - len(body.translate(None, _CONTROLS))) * _BINARY > len(body)


def _debased(run: str) -> bytes | None:
    """What a base64 run holds, if that is a text or something packed."""
    bare_run = run.rstrip("=")
    if "-" in bare_run or "_" in bare_run:
        bare_run = bare_run.replace("-", "+").replace("_", "/")
    try:
        raw = binascii.a2b_base64(bare_run + "=" * (-len(bare_run) % 4))
    except ValueError:
        return None
    if raw.startswith(_PACKED):
        return raw
    if raw.isascii() and b"\0" not in raw:
        return raw if _is_printable(raw.decode()) else None
    text, _ = _decoded_text(raw, "")
    return raw if text is not None and _is_printable(text.lstrip("\ufeff")) else None


def _unpacked(body: bytes, coding: str) -> bytes | None:
    try:
        return _UNPACK[coding](body)
    except Exception:  # broken, or of a library that is not there: nothing to look into
        return None


def _zstd(name: str) -> Callable[[bytes], bytes]:
    def call(body: bytes) -> bytes:
        zstandard: Any = __import__("zstandard")
        if name == "compress":
            return bytes(zstandard.ZstdCompressor().compress(body))
        with zstandard.ZstdDecompressor().stream_reader(body) as reader:
            return bytes(reader.read())

    return call


_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zstd": _zstd("decompress"),
}
_PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "deflate": zlib.compress,
    "zstd": _zstd("compress"),
}
