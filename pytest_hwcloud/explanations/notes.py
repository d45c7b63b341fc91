"""The explanation as a note on the exception: the one channel that every reporter of pytest keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_hwcloud.explanations.circumstances import circumstances
from pytest_hwcloud.explanations.evidence import find
from pytest_hwcloud.explanations.explanation import Explanation, explain
from pytest_hwcloud.explanations.linking import Evidence

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.journal import Journal

_BEGUN = ("hwcloud: ", "hwcloud：")  # the first line of an explanation, in each language
_KEPT = "__hwcloud_explanation__"  # on the exception: pytest raises that of a failed module fixture in every test again


def annotate(
    error: BaseException, journal: Journal | None, state: CloudState | None, lang: str = "en"
) -> list[Explanation]:
    """Put a note on each leaf of an exception that is about a refused call, once; gives the explanations."""
    explained = (_annotated(leaf, journal, state, lang) for leaf in leaves(error))
    return [explanation for explanation in explained if explanation is not None]


def kept(error: BaseException) -> list[Explanation]:
    """The explanations that `annotate` gave an exception or the leaves of a group."""
    found = (getattr(leaf, _KEPT, None) for leaf in leaves(error))
    return [explanation for explanation in found if isinstance(explanation, Explanation)]


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The exception itself, or those in a group, however deep."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def _annotated(
    error: BaseException, journal: Journal | None, state: CloudState | None, lang: str
) -> Explanation | None:
    kept = getattr(error, _KEPT, None)
    if isinstance(kept, Explanation):
        return kept
    evidence = find(error, journal)
    explanation = explained(evidence, journal, state, lang) if evidence else None
    if explanation is not None:
        if not _is_explained(error):
            error.add_note(str(explanation))
        with suppress(AttributeError, TypeError):  # an exception class may refuse further attributes
            setattr(error, _KEPT, explanation)
    return explanation


def explained(evidence: Evidence, journal: Journal | None, state: CloudState | None, lang: str) -> Explanation | None:
    """The explanation of what was found, with all that the run knows of the call."""
    exchange = evidence.exchange
    # The exchange has URL, headers and body; a client's exception has lost some of them.
    failure = exchange.failure if exchange and exchange.failure else evidence.failure
    return explain(failure, lang, circumstances(exchange, journal, state, evidence.after))


def _is_explained(error: BaseException) -> bool:
    """Whether the exception has its note already, from assert_ok or refused, or from an earlier report."""
    return any(note.startswith(_BEGUN) for note in getattr(error, "__notes__", ()) if isinstance(note, str))
