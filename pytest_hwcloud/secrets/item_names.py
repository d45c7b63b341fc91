"""Names of tests without the secrets among their parameters: node ids are in every report, and in names of files.

A parameter whose value is a secret is called as pytest calls one that it cannot write, by its argument and its index:
`test_login[Zk7!pQ…]` becomes `test_login[password0]`. It is the same in every run, and selects the test.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_hwcloud.secrets.encodings import MASK
from pytest_hwcloud.secrets.field_names import hides
from pytest_hwcloud.secrets.known_secrets import Secrets

_SHORTEST, _SHAPED = 6, 16  # characters of a value that is called a secret, and of one that looks like one


def name_without_secrets(item: pytest.Item, secrets: Secrets, *, by_rule: bool) -> None:
    """Rename a test with a secret in its name. by_rule: also what only its argument or its form gives away."""
    bracket = item.name.find("[")
    if bracket < 0 or not hasattr(item, "callspec"):
        return
    old = item.name
    inside = old[bracket:]
    for argument, index, value in _texts(item):
        if secrets.masked(value) != value or (by_rule and is_secret_parameter(argument, value)):
            secrets.add(value)
            for written in (value, value.encode("unicode_escape").decode("ascii")):
                inside = inside.replace(written, f"{argument}{index}")
    if (masked := secrets.masked(inside)) != inside:  # of an id that the test gives its parameters
        indices = "-".join(str(index) for index in item.callspec.indices.values())
        inside = masked.replace(MASK, f"secret{indices}")
    if (new := old[:bracket] + inside) != old:
        _rename(item, old, new)


def is_secret_parameter(argument: str, value: str) -> bool:
    """Whether a value gives a secret away by the name of its argument, if it is no plain word, or by its form."""
    if len(value) >= _SHORTEST and hides(argument, value):
        from pytest_hwcloud.secrets.notations import looks_chosen

        return looks_chosen(value)
    if len(value) < _SHAPED or value.isalpha():
        return False
    from pytest_hwcloud.secrets.scrubber import Scrubber

    return Scrubber().text(value) != value


def _texts(item: pytest.Item) -> Iterator[tuple[str, int, str]]:
    callspec = getattr(item, "callspec", None)
    for argument, value in getattr(callspec, "params", {}).items():
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if isinstance(text, str) and len(text) >= _SHORTEST:
            yield argument, getattr(callspec, "indices", {}).get(argument, 0), text


def _rename(item: pytest.Item, old: str, new: str) -> None:
    if not item.nodeid.endswith(old):
        return
    nodeid = item.nodeid.removesuffix(old) + new
    structured = getattr(item, "_id", None)  # pytest has no public way to name a test; since 9.2 its id has parts
    if structured is None:
        setattr(item, "_nodeid", nodeid)  # noqa: B010
    else:
        setattr(item, "_id", type(structured).parse(nodeid))  # noqa: B010
    item.name = new
    markers = getattr(item.keywords, "_markers", {})
    if markers.pop(old, None) is not None:
        markers[new] = True
    item.__dict__.pop("location", None)
