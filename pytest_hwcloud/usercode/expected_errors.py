"""Was a refusal asked for? Whether the code that runs now stands in a block that expects an exception.

The stack is searched, not the exception: the calls of a negative test are known before anything is raised. Threads and
tasks that the test only waits for have separate stacks, so those of the main thread and of waiting tasks are
searched as well.
"""

from __future__ import annotations

import ast
import linecache
import sys
import threading
from collections.abc import Iterator
from functools import lru_cache
from types import FrameType
from typing import TYPE_CHECKING

from pytest_hwcloud.usercode.call_site import is_users

if TYPE_CHECKING:
    import asyncio

_EXPECTING = frozenset(("raises", "refused", "assertRaises", "assertRaisesRegex", "RaisesGroup", "RaisesExc"))


def asked_for() -> bool:
    """Whether a block around the running code expects an exception: pytest.raises, hwcloud.refused, assertRaises."""
    return any(_expects(frame) for frame in _frames())


def _frames() -> Iterator[FrameType]:
    yield from _outwards(sys._getframe(1))
    main = threading.main_thread().ident
    if threading.get_ident() != main and main is not None:
        yield from _outwards(sys._current_frames().get(main))
    asyncio = sys.modules.get("asyncio")  # what is not imported runs no tasks
    if asyncio is None:
        return
    for loop in _loops(sys._current_frames().get(main or 0)):
        for task in asyncio.all_tasks(loop):
            yield from _awaiting(task.get_coro())


def _loops(frame: FrameType | None) -> Iterator[asyncio.AbstractEventLoop]:
    """The event loops that run in a thread: the test may be one of their waiting tasks."""
    for outer in _outwards(frame):
        loop = outer.f_locals.get("self") if outer.f_code.co_name == "run_forever" else None
        if isinstance(loop, sys.modules["asyncio"].AbstractEventLoop):
            yield loop


def _awaiting(coroutine: object) -> Iterator[FrameType]:
    """Where a coroutine waits, and the coroutine that it waits for, and so on."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None:
            yield frame
        coroutine = getattr(coroutine, "cr_await", None)


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _expects(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    return is_users(file) and any(first <= frame.f_lineno <= last for first, last in _blocks(file))


@lru_cache(maxsize=64)
def _blocks(file: str) -> tuple[tuple[int, int], ...]:
    """First and last line of every block of a file that expects an exception."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return ()
    return tuple(_found(tree))


def _found(tree: ast.AST) -> Iterator[tuple[int, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                if any(_is_expecting(item.context_expr) for item in items):
                    yield body[0].lineno, body[-1].end_lineno or body[-1].lineno
            case ast.Call(args=[_, _, *_]) if _is_expecting(node):  # pytest.raises(Error, function, …)
                yield node.lineno, node.end_lineno or node.lineno


def _is_expecting(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    named = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return named in _EXPECTING
