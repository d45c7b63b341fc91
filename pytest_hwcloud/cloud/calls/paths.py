"""Paths of calls: split a URL, find the template that a path fits, and write a template for a path that fits none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")
_VERSION = re.compile(r"[vV]\d+(\.\d+)*").fullmatch
_HEX = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_NUMBER = re.compile(r"\d+").fullmatch
PROJECT_NAMES = ("{project_id}", "{projectId}", "{projectid}", "{tenant_id}")


def split_url(url: str) -> tuple[str, str, str]:
    """Host (with port), path and query of an absolute URL; the host is "" for anything else."""
    _, separator, rest = url.partition("://")
    if not separator:
        return "", url, ""
    rest = rest.partition("#")[0]
    rest, _, query = rest.partition("?")
    host, _, path = rest.partition("/")
    return host, path, query


def segments(path: str) -> list[str]:
    """The parts of a path, decoded; empty ones (`//`, a slash at the end) do not count."""
    parts = [part for part in path.split("/") if part]
    return [unquote(part) for part in parts] if "%" in path else parts


def query_keys(query: str) -> frozenset[str]:
    """The names of the query parameters."""
    return frozenset(unquote(pair.partition("=")[0]) for pair in query.split("&") if pair) if query else frozenset()


def is_parameter(segment: str) -> bool:
    """True for `{server_id}` and for parts that hold a parameter (`{region}:{floatingip_id}`)."""
    return "{" in segment and "}" in segment


def project_index(template: Sequence[str]) -> int | None:
    """Where the project id stands in a template, or None."""
    return next((i for i, part in enumerate(template) if part in PROJECT_NAMES), None)


class Node(Generic[T]):
    """One place in the tree of templates: what may follow, and what lies here."""

    __slots__ = ("leaf", "literals", "parameter", "version")

    def __init__(self) -> None:
        self.literals: dict[str, Node[T]] = {}
        self.version: Node[T] | None = None
        self.parameter: Node[T] | None = None
        self.leaf: T | None = None

    def child(self, segment: str, leading: bool = False) -> Node[T]:
        """The node behind a template segment, made if needed. leading: it stands where a path has its API version."""
        if not is_parameter(segment):
            return self.literals.setdefault(segment, Node())
        if leading and "version" in segment:
            self.version = self.version or Node()
            return self.version
        self.parameter = self.parameter or Node()
        return self.parameter

    def leaves(self) -> Iterator[T]:
        """Everything that lies in the tree."""
        if self.leaf is not None:
            yield self.leaf
        for node in (*self.literals.values(), self.version, self.parameter):
            if node is not None:
                yield from node.leaves()

    def find(self, parts: Sequence[str], at: int = 0) -> T | None:
        """What lies at the end of a path: a literal segment beats a version, a version beats a parameter."""
        if at == len(parts):
            return self.leaf
        part = parts[at]
        following = self.literals.get(part)
        if following is not None and (found := following.find(parts, at + 1)) is not None:
            return found
        if self.version is not None and _VERSION(part) and (found := self.version.find(parts, at + 1)) is not None:
            return found
        return self.parameter.find(parts, at + 1) if self.parameter is not None else None


@lru_cache(maxsize=1024)
def guess_template(parts: tuple[str, ...]) -> tuple[str, str | None]:
    """A template for a path that no table has, and the project id in it: what looks like an id is replaced."""
    project = next(iter(_projects(parts)), None)
    shaped = ["{project_id}" if part == project else "{id}" if _looks_like_id(part) else part for part in parts]
    return "/" + "/".join(shaped), project


def _projects(parts: Sequence[str]) -> Iterator[str]:
    """The id right behind the version, where a project id stands in the URLs of regional services."""
    for before, part in pairwise(parts):
        if _VERSION(before) and re.fullmatch(r"[0-9a-fA-F]{32}", part):
            yield part


def _looks_like_id(part: str) -> bool:
    if is_parameter(part):
        return False
    mixed = len(part) >= 20 and any(c.isdigit() for c in part) and any(c.isalpha() for c in part)
    return bool(_HEX(part) or _NUMBER(part)) or mixed
