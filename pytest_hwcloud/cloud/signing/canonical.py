"""The canonical form of a request, over which caller and gateway compute the same signature.

The path is decoded once and encoded again with a slash at its end; the query is sorted by its decoded names and values.
What repeats from call to call (paths, query words, sets of header names) is kept in small bounded caches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_to_bytes

from pytest_hwcloud import texts

_PLAIN = r"[A-Za-z0-9_.~-]*+"
_ESCAPE = r"%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|[46]0|5[B-E]|7[B-DF])"  # upper case, and needed
_WORD = rf"{_PLAIN}(?:{_ESCAPE}{_PLAIN})*+"
_canonical_words = re.compile(rf"{_WORD}={_WORD}(?:&{_WORD}={_WORD})*+").fullmatch
_plain_path = re.compile(r"/[A-Za-z0-9_.~/-]*+").fullmatch


def split(url: str) -> tuple[str, str, str]:
    """Everything of a URL in front of its query, the query, and the fragment with its "#"."""
    fragment = ""
    if "#" in url:
        url, _, fragment = url.partition("#")
        fragment = "#" + fragment
    head, _, query = url.partition("?")
    return head, query, fragment


def authority(head: str) -> tuple[str, str, str]:
    """Scheme, host (with its port, as written) and path ("/" for none) of a URL without query."""
    scheme, separator, rest = head.partition("://")
    host, _, path = rest.partition("/")
    if not separator or not host:
        raise ValueError(texts.say("signing.no-url", text=head))
    return scheme.lower(), host.rpartition("@")[2], "/" + path


@lru_cache(maxsize=1024)
def canonical_uri(path: str) -> str:
    """The path, decoded once, every segment encoded, with a slash at its end."""
    uri = path if _plain_path(path) else quote(unquote(path), safe="/~")
    return uri if uri.endswith("/") else uri + "/"


@lru_cache(maxsize=512)
def canonical_query(query: str) -> str:
    """The query sorted and encoded. "+" is a space; a name without "=" gets one; bytes that are no UTF-8 are kept."""
    if not query:
        return ""
    query = query.replace("+", "%20")
    if not _canonical_words(query):
        query = "&".join([canonical_part(part) for part in query.split("&") if part])
    parts = query.split("&")
    names = {part.partition("=")[0] for part in parts}
    if len(names) < len(parts) or "%" in "".join(names):
        return "&".join(sorted(parts, key=decoded))
    # The names decide, and are not escaped: with a separator lower than every letter their order is that of the texts.
    return "&".join(sorted(query.replace("=", "\0").split("&"))).replace("\0", "=")


@lru_cache(maxsize=4096)
def decoded(part: str) -> tuple[str, str]:
    """Name and value of one encoded query part, as the order of the query looks at them."""
    name, _, value = part.partition("=")
    return unquote(name), unquote(value)


@lru_cache(maxsize=4096)
def canonical_part(part: str) -> str:
    """One query part, its name and value encoded as they should be."""
    name, _, value = part.partition("=")
    return "=".join([quote(unquote_to_bytes(word), safe="~") for word in (name, value)])


def header_block(names: tuple[str, ...], values: Mapping[str, str]) -> str:
    """One "name:value" line for each signed header; names in lower case."""
    return "\n".join([f"{name}:{values[name].strip()}" for name in names])


def as_sent(value: str) -> str:
    """A header's text as HTTP carries it: the UTF-8 bytes read as Latin-1."""
    return value if value.isascii() else value.encode().decode("latin-1")


def as_signed(value: str) -> str:
    """A header's text as it is signed: Latin-1 text that is UTF-8 in truth becomes the real text."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
