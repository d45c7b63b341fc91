"""All edits that allow what a run was refused, as one patch: each is made on what the ones before it left."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.policies.documents import Document, read
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Rights
from pytest_hwcloud.cloud.policies.system_policies import PREFIX
from pytest_hwcloud.files.reading import exists
from pytest_hwcloud.permissions.policies import edit, spellings

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.reports.reading import Missing


@dataclass(kw_only=True)
class Fixes:
    """What is to be done. unhealed: (identity, action) that no edit of these files allows."""

    texts: dict[str, str] = field(default_factory=dict)  # file -> its edited text, lines ended by "\\n"
    unhealed: list[tuple[str, str]] = field(default_factory=list)

    def changes(self) -> list[tuple[str, str, str]]:
        """(file, text as it is, text as it should be) of each edited file, by name."""
        return [(file, *edit.as_on_disk(Path(file).read_bytes(), text)) for file, text in sorted(self.texts.items())]


def fixes(missing: Iterable[Missing], folder: Path) -> Fixes:
    """The edits for what identities miss. PolicyError for a policy that cannot be read any more.

    folder: where policies are looked for, too, that are not below the current folder (that of the report).
    """
    made = Fixes()
    for one in missing:
        for action, calls in one.actions.items():
            documents = [_document(source, made.texts, folder) for source in one.policies]
            rights = Rights.of([Policy((document,)) for document in documents])
            if documents and spellings.decide(rights.decide, action, calls):
                continue
            found = edit.allowing(rights, action, calls) if documents else None
            if found is None:
                made.unhealed.append((one.identity, action))
            else:
                document, text = found
                made.texts[os.path.normpath(document.source)] = text
    return made


def _document(source: str, texts: dict[str, str], folder: Path) -> Document:
    if source.startswith(PREFIX):
        return read(source)
    here = source if exists(source) or not exists(folder / source) else str(folder / source)
    file = os.path.normpath(here)
    return read(file, text=texts.get(file))
