"""YAML with the line of every key, so that an error about a file can name file, line and key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

Path = tuple[str | int, ...]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_ALIASES = 100


class LocatedError(ValueError):
    """A document that cannot be used; the text is `file:line: key: what is wrong`."""


@dataclass(frozen=True, slots=True)
class Located:
    """A parsed document. value: plain dicts, lists and scalars. lines: path of keys -> line number, from 1."""

    file: str
    value: object
    lines: dict[Path, int] = field(repr=False)

    def error(self, path: Path, text: str) -> LocatedError:
        """The error for one place of this document."""
        return LocatedError(f"{self.file}:{self.line(path)}: {dotted(path)}{text}")

    def line(self, path: Path) -> int:
        """The line of the nearest known place at or above this path."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def dotted(path: Path) -> str:
    """`identities.default.projects: ` for a path; nothing for the whole document."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".") + ": " if path else ""


def load(text: str, file: str) -> Located:
    """Parse one YAML document; LocatedError for broken YAML, tags, doubled keys, and alias bombs."""
    try:
        _refuse_bombs(text, file)
        node = yaml.compose(text, Loader=_LOADER)
        lines = dict(_walk(node, (), file, set())) if node else {}
        value = yaml.load(text, Loader=_LOADER)
    except yaml.constructor.ConstructorError as error:
        raise LocatedError(f"{file}:{_line(error)}: {error.problem}: only plain YAML is read, no tags") from None
    except yaml.MarkedYAMLError as error:
        raise LocatedError(f"{file}:{_line(error)}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise LocatedError(f"{file}:1: not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise LocatedError(f"{file}:1: nested too deeply") from None
    return Located(file, value, lines)


def _line(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return int(mark.line) + 1 if mark is not None else 1


def _refuse_bombs(text: str, file: str) -> None:
    aliases = (event for event in yaml.parse(text, Loader=_LOADER) if isinstance(event, yaml.AliasEvent))
    for count, event in enumerate(aliases, 1):
        if count > _MAX_ALIASES:
            line = int(event.start_mark.line) + 1 if event.start_mark is not None else 1
            raise LocatedError(f"{file}:{line}: more than {_MAX_ALIASES} aliases; write the values out")


def _walk(node: yaml.Node, path: Path, file: str, visited: set[int]) -> Iterator[tuple[Path, int]]:
    if id(node) in visited:  # an alias: its lines are those of the anchor, and walking it again could take forever
        return
    visited.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item.start_mark.line + 1
            yield from _walk(item, (*path, index), file, visited)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, item in node.value:
            name = str(key.value)
            if name in seen:
                raise LocatedError(f"{file}:{key.start_mark.line + 1}: {dotted((*path, name))}given twice")
            seen.add(name)
            yield (*path, name), key.start_mark.line + 1
            yield from _walk(item, (*path, name), file, visited)
