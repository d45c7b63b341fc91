"""The part of the html report about rights: of each identity what is granted and used, and the smallest policy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from pytest_hwcloud.permissions.lock.minimise import Minimal, minimise
from pytest_hwcloud.permissions.reports.overview import GrantRow, IdentityRow, Overview, Words

_SHOWN = 12  # actions that a row names


def section(shown: Overview, words: Words) -> str:
    """A paragraph for each identity that has a policy or needed something; nothing if there is none."""
    lock = shown.needs() if shown.needs is not None else None
    parts = []
    for row in shown.identities:
        smallest = minimise(lock, row.name) if lock is not None and row.name in lock.identities else []
        if row.grants or smallest:
            parts.append(_identity(row, smallest, words))
    if not parts:
        return ""
    return f"<section id=rights><h2>{words['rights']}</h2>\n" + "\n".join(parts) + "\n</section>"


def _identity(row: IdentityRow, smallest: Sequence[Minimal], words: Words) -> str:
    used = [grant for grant in row.grants if grant.used]
    unused = [grant for grant in row.grants if not grant.used]
    head = f"<h3>{words['identity']} <code>{escape(row.name)}</code>"
    if row.grants:
        count = words["used_of_granted"].format(len(used), len(row.grants))
        head += f" <span class=soft>{escape(count)}</span>"
    tables = [
        _grants(words["unused_grants"], unused, " open" if len(unused) <= _SHOWN else "", words),
        _grants(words["used_grants"], used, "", words),
    ]
    return f"{head}</h3>\n{''.join(tables)}{''.join(_smallest(smallest, row.name, words))}"


def _grants(title: str, grants: Sequence[GrantRow], unfold: str, words: Words) -> str:
    if not grants:
        return ""
    items = "".join(_grant(grant, words) for grant in grants)
    head = words["counted"].format(title, f"{len(grants):,}")
    return f"<details class=grants{unfold}><summary>{head}</summary><ul>{items}</ul></details>"


def _grant(grant: GrantRow, words: Words) -> str:
    place = words["statement_of"].format(grant.statement, grant.policy)
    named = ", ".join(grant.used[:_SHOWN]) + (" …" if len(grant.used) > _SHOWN else "")
    used = f" <span class=id>← {escape(named)}</span>" if grant.used and grant.used != (grant.pattern,) else ""
    return f"<li><code>{escape(grant.pattern)}</code>{used} <span class=soft>{escape(place)}</span>"


def _smallest(policies: Iterable[Minimal], identity: str, words: Words) -> Iterator[str]:
    for number, one in enumerate(policies, 1):
        anchor = f"policy-{escape(identity)}-{number}"
        text = json.dumps(one.document, indent=2)
        yield (
            f"<details class=policy><summary>{words['smallest']} <span class=soft>{escape(one.name)}.json · "
            f"{escape(one.words)}</span></summary><button type=button class=copy data-from='{anchor}' "
            f"data-done='{escape(words['copied'])}'>{words['copy']}</button>"
            f"<pre id='{anchor}' tabindex=0>{escape(text)}</pre></details>"
        )
