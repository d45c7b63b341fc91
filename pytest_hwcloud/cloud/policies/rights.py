"""What one identity may do: its policies and groups, where each was granted, and a service control policy as the bound.

A grant counts where it was given (IAM user guide): on one project only there, on all projects in every
project, on the domain for global services, on an enterprise project for its resources and only for actions that support
enterprise projects. Identity policies (5.0) are attached to the user and count everywhere. A role takes effect only
together with the roles it depends on: where one of them is not among the policies, its statements only perhaps count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.patterns import AskedResource
from pytest_hwcloud.cloud.policies.conditions import Context
from pytest_hwcloud.cloud.policies.decision import Decision, rank
from pytest_hwcloud.cloud.policies.documents import Document
from pytest_hwcloud.cloud.policies.evaluation import Judge
from pytest_hwcloud.cloud.policies.policy import Policy, decide
from pytest_hwcloud.cloud.policies.system_policies import PREFIX
from pytest_hwcloud.texts import Phrase

ALL_GRANTED = "all_granted_eps"  # a query over the enterprise projects that the caller is granted
PLACES = ("everywhere", "domain", "projects", "project", "enterprise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a question is asked. scope: "project", "domain" or "unknown". None: not known.

    enterprise_level: does the action take effect in enterprise projects?
    """

    scope: str = "project"
    project_id: str | None = None
    enterprise_project: str | None = None
    enterprise_level: bool | None = None


_PROJECT = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A policy and where it was granted. on: one of PLACES. target: id of the project or enterprise project."""

    policy: Policy
    on: str = "everywhere"
    target: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        if self.on not in PLACES:
            raise ValueError(f"a grant is on one of {', '.join(PLACES)}, not {self.on!r}")
        if (self.target is not None) != (self.on in ("project", "enterprise")):
            raise ValueError(
                f"a grant on {self.on!r} {'needs the id of one' if self.target is None else 'has no target'}"
            )

    def counts(self, place: Place) -> bool | str:
        """Does the grant count there? A text: perhaps, and what is not known."""
        match self.on:
            case "everywhere":
                return True
            case "domain":
                return _scope_is("domain", place)
            case "projects":
                return _scope_is("project", place)
            case "project":
                return _and(_scope_is("project", place), _is(place.project_id, self.target, "of-project"))
            case _:
                return _and(_enterprise(place), self._of_enterprise_project(place))

    def _of_enterprise_project(self, place: Place) -> bool | str:
        if place.enterprise_project != ALL_GRANTED:
            return _is(place.enterprise_project, self.target, "of-enterprise-project")
        # It is not documented that a grant on one enterprise project is enough for such a query: it stays open.
        return Phrase("decisions.of-all-enterprise-projects", id=self.target)

    def where(self, place: Place) -> str:
        """Where it was granted, and why that is not the place of the question."""
        match self.on:
            case "domain":
                return Phrase("decisions.granted-on-domain")
            case "projects":
                return Phrase("decisions.granted-on-projects")
            case "project" if place.scope == "domain":
                return Phrase("decisions.granted-on-project-not-global", id=self.target)
            case "enterprise" if place.enterprise_level is False:
                return Phrase("decisions.granted-on-enterprise-project-in-vain", id=self.target)
            case "project":
                return Phrase("decisions.granted-on-project", id=self.target)
            case _:
                return Phrase("decisions.granted-on-enterprise-project", id=self.target)


def _scope_is(wanted: str, place: Place) -> bool | str:
    if place.scope == "unknown":
        return Phrase("decisions.of-scope", scope=Phrase(f"decisions.scope-{wanted}"))
    return place.scope == wanted


def _is(given: str | None, wanted: str | None, what: str) -> bool | str:
    return Phrase(f"decisions.{what}", id=wanted) if given is None else given == wanted


def _enterprise(place: Place) -> bool | str:
    if place.enterprise_level is None:
        return Phrase("decisions.in-enterprise-projects")
    return place.enterprise_level


def _and(left: bool | str, right: bool | str) -> bool | str:
    if left is False or right is False:
        return False
    return texts.joined("decisions.doubt-and", [text for text in (left, right) if isinstance(text, str)]) or True


class Rights:
    """The rights of one identity, immutable: a change makes new ones, so that a token can keep those of its issue."""

    __slots__ = ("_judges", "about_resources", "bound", "conditional", "grammar", "grants")

    def __init__(self, grants: Iterable[Grant], bound: Policy | None = None) -> None:
        self.grants = tuple(grants)
        self.bound = bound
        self._judges: dict[Place, Judge] = {}
        held = [*self.policies, *([bound] if bound else [])]
        statements = [statement for policy in held for statement in policy.statements]
        versions = {document.version for document in self.documents}
        self.grammar = "5.0" if versions == {"5.0"} else "1.1"  # 5.0: only identity policies judge this identity
        self.conditional = any(statement.condition for statement in statements)  # else no context is needed
        self.about_resources = any(statement.resources for statement in statements)  # else no resource is

    @classmethod
    def of(cls, policies: Sequence[Policy | Grant], bound: Policy | None = None) -> Rights:
        """What these policies and grants give; a policy alone counts everywhere. bound: a service control policy."""
        return cls((item if isinstance(item, Grant) else Grant(policy=item) for item in policies), bound)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies of all grants."""
        return tuple(grant.policy for grant in self.grants)

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents of all policies."""
        return tuple(document for policy in self.policies for document in policy.documents)

    def granting(self, actions: Iterable[str]) -> Rights:
        """These rights and, everywhere, the given actions."""
        document = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": list(actions)}]}
        return Rights((*self.grants, Grant(policy=Policy.load(document, name="hwcloud.grant"))), self.bound)

    def decide(
        self,
        action: str,
        place: Place = _PROJECT,
        *,
        resource: AskedResource = None,
        context: Mapping[str, object] | None = None,
    ) -> Decision:
        """May the identity do this there? An allow needs the bound's allow as well."""
        asked = Context(context) if context else None
        own = decide(self._judge(place), action, resource, asked)
        if self.bound is None or (own.effect == "deny" and own.explicit):
            return own
        limit = decide(self.bound.judge, action, resource, asked)
        if rank(limit) < rank(own) or limit.explicit:
            return limit.bounding()
        return own

    def _judge(self, place: Place) -> Judge:
        judge = self._judges.get(place)
        if judge is None:
            judge = self._judges[place] = Judge(self._sources(place), self._elsewhere(place))
        return judge

    def _sources(self, place: Place) -> list[tuple[Document, str]]:
        held = {document.name.removeprefix(PREFIX).lower() for document in self.documents}
        found = []
        for grant in self.grants:
            for document in grant.policy.documents:
                counts = True if document.version == "5.0" else grant.counts(place)
                if counts is not False:
                    missing = [name for name in document.depends if name.lower() not in held]
                    doubts = [counts] if isinstance(counts, str) else []
                    if missing:
                        names = texts.joined("decisions.names-and", missing)
                        doubts.append(Phrase("decisions.depends", names=names, n=len(missing)))
                    found.append((document, texts.joined("decisions.doubt-and", doubts)))
        return found

    def _elsewhere(self, place: Place) -> list[tuple[Document, str]]:
        """The documents whose grant does not count there, and where it does."""
        return [
            (document, grant.where(place))
            for grant in self.grants
            if grant.counts(place) is False
            for document in grant.policy.documents
            if document.version != "5.0"
        ]

    def __repr__(self) -> str:
        names = ", ".join(policy.name for policy in self.policies)
        return f"Rights({names}{f'; bound {self.bound.name}' if self.bound else ''})"
