"""A server's words and a call as they may be shown: no access key in full, no token, no signature."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from pytest_hwcloud.secrets.encodings import MASK
from pytest_hwcloud.secrets.field_names import is_secret_header, is_trivial, kind_of

MESSAGE_LENGTH = 700
_LONG_ID = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{24}\b")
_LABELLED_KEY = re.compile(
    r"""((?i:\b(?:ak|appkey|(?:aws)?access[ _-]?key(?:[ _-]?id)?|access(?==)|credential|OBS|AWS))["'<>\[ :=]{1,4})"""
    r"""(?=[A-Za-z0-9*]{9})(?=[A-Za-z*]*\d|[A-Z*]{16}|\w{4}\*)(\w{4})[\w*]{5,}"""
)
# Twenty capitals and digits, no hexadecimal number: what an access key id of Huawei Cloud looks like.
_BARE_KEY = re.compile(r"\b(?=[A-Z]*\d)(?=[A-F0-9]*[G-Z])([A-Z][A-Z0-9]{3})[A-Z0-9]{16}\b")
_HEADER = re.compile(r"\b([A-Za-z][\w-]{1,60}):([^|\s]+)")
_QUERY = re.compile(r"([?&;]([\w.~%+\[\]-]{1,80})=)[^&;\s]+")


def shown(message: str) -> str:
    """A server's message as it may be shown: one line, access keys cut to four characters, tokens taken out."""
    line = " ".join(message.split())
    line = _LABELLED_KEY.sub(r"\1\2…", line)
    line = _BARE_KEY.sub(r"\1…", line)
    line = _QUERY.sub(_parameter, _HEADER.sub(_header, line))
    return line if len(line) <= MESSAGE_LENGTH else line[:MESSAGE_LENGTH] + "…"


def shown_call(call: str) -> str:
    """A call with long ids cut, keys cut and signatures in its query masked."""
    return _LONG_ID.sub(r"\1…", _BARE_KEY.sub(r"\1…", _QUERY.sub(_parameter, call)))


def _parameter(match: re.Match[str]) -> str:
    return match[1] + MASK if kind_of(unquote_plus(match[2])) else match[0]


def _header(match: re.Match[str]) -> str:
    named = "-" in match[1] or match[1].lower() == "authorization"  # `token:expired` is a message
    return f"{match[1]}:{MASK}" if named and is_secret_header(match[1]) and not is_trivial(match[2]) else match[0]
