"""Where a call was made: file and line of the first frame that belongs to the test or to the code under test."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_PACKAGE = str(Path(__file__).resolve().parents[1])
_TOUR = str(Path(_PACKAGE, "tour"))
_LIBRARIES = (os.path.dirname(os.__file__),)  # the standard library; installed packages are known by their folder
_RUNNER = ("/_pytest/", "/pluggy/")
_KINDS: dict[str, int] = {}  # file name → 0 the user's, 1 of a library, 2 of pytest; asked for every frame


class CallSite(tuple[str, int]):
    """File and line of the user's code that made a call. callers: the user's lines above it, innermost first.

    program: the program that called, where it was another process, started by this line; command: its command line.
    """

    callers: tuple[tuple[str, int], ...] = ()
    program: str = ""
    command: object = None


def call_site() -> CallSite | None:
    """File and line of the caller.

    None where none of its frames is on this thread's stack (the SDK's own threads). A thread that speaks for somebody
    else (`speaking_for`) gives what it was set to.
    """
    return site_of(sys._getframe(1)) or getattr(_SPOKEN_FOR, "site", None)


def site_of(frame: FrameType | None) -> CallSite | None:
    """The user's lines on a stack, from this frame outwards."""
    kinds, lines = _KINDS, []
    while frame is not None:
        name = frame.f_code.co_filename
        kind = kinds.get(name)
        if kind is None:
            kind = kinds[name] = _kind(name)
        if kind == 0:
            lines.append((name, frame.f_lineno))
        elif kind == 2:
            break
        frame = frame.f_back
    if not lines:
        return None
    site = CallSite(lines[0])
    if len(lines) > 1:
        site.callers = tuple(lines[1:])
    return site


_SPOKEN_FOR = threading.local()


@contextmanager
def speaking_for(site: CallSite | None) -> Iterator[None]:
    """On this thread, calls are made for this line: the one that started the program that really calls."""
    _SPOKEN_FOR.site = site
    try:
        yield
    finally:
        _SPOKEN_FOR.site = None


def is_users(name: str) -> bool:
    """Whether a file is the user's: of no library, not of pytest, not ours."""
    return (_KINDS[name] if name in _KINDS else _KINDS.setdefault(name, _kind(name))) == 0


# Where clients ask IAM for what they were not given: file and function (None: any of it).
_LOOKING_UP = (
    ("/huaweicloudsdkcore/auth/", "process_auth_params"),
    ("/huaweicloudsdkcore/auth/", "process_auth_request"),
    ("/huaweicloudsdkcore/auth/", "process_sts"),
    ("/keystoneauth1/identity/", None),
)


def looked_up_by_client(user_agent: str = "") -> bool:
    """Whether a client library makes the running call by itself, to find a project or domain id, a region or a token.

    Seen on the stack; where no line of the user's is on it (another process), an official SDK is taken at its name.
    """
    frame: FrameType | None = sys._getframe(1)
    users = False
    while frame is not None:
        name = frame.f_code.co_filename.replace("\\", "/")
        if any(part in name and function in (None, frame.f_code.co_name) for part, function in _LOOKING_UP):
            return True
        users = users or is_users(frame.f_code.co_filename)
        frame = frame.f_back
    return not users and user_agent.startswith("huaweicloud-usdk-")


def _kind(name: str) -> int:
    if any(part in name.replace("\\", "/") for part in _RUNNER):
        return 2
    return int(_is_library(name))


def _is_library(name: str) -> bool:
    if name.startswith("<") or "site-packages" in name or "dist-packages" in name:
        return "pytest_hwcloud/tour" not in name.replace("\\", "/")
    if name.startswith(_TOUR):
        return False
    return name.startswith((_PACKAGE, *_LIBRARIES))
