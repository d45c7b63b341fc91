"""The Condition of a statement: operators, quantifiers, IfExists, Null, and the context they are asked about.

A test is True, False or None (unknown). Rules, from the policy syntax page of the IAM user guide: values of one key are
alternatives (a negated operator must match none of them); keys of one operator and operators are all needed. With
IfExists a missing key makes the test true; with ForAnyValue "no key or empty set" makes it false; `Null`, `IsNull`,
`IsNotNull`, `IsNullOrEmpty` ask whether the key is there.

A key that was not given is unknown, for every operator: the request may carry it or not, with any value. Such a test is
decided only where every case has the same answer (`ForAllValues:StringMatch` with `*`). That a request does not carry a
key is a fact like any other: a context value of None (or an empty list) states that. Then a plain operator is false, a
negated one stays unknown (not documented), ForAllValues is true (of nothing). `g:CurrentTime` is the time of the
question and `g:ServiceName` the first part of the action it is about, unless the context gives others. Key names are
compared without case, but for the tag key after the slash in `g:ResourceTag/Owner`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from ipaddress import ip_address, ip_network

from pytest_hwcloud.cloud.patterns import glob
from pytest_hwcloud.texts import say

Compare = Callable[[str, str], bool]
_QUANTIFIERS = ("ForAllValues", "ForAnyValue")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_DIGITS = 512  # characters of a number
_SHOWN = 60  # characters of a wrong value in a message
_NULLS = {"Null": "null", "IsNull": "null", "IsNotNull": "present", "IsNullOrEmpty": "empty"}


class ConditionError(ValueError):
    """A condition that is not documented; key: the operator or key."""

    def __init__(self, text: str, *keys: str) -> None:
        super().__init__(text)
        self.keys = keys


def moment(text: str) -> datetime:
    """An aware time from ISO 8601 text (UTC if it names no zone) or seconds since 1970; ValueError otherwise."""
    try:
        return datetime.fromtimestamp(float(number(text)), UTC)
    except (OverflowError, OSError):  # a number of seconds beyond the year 9999
        raise ValueError(f"{text!r} is no time") from None
    except ValueError:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def number(text: str) -> Decimal:
    """A finite decimal number, compared exactly; ValueError otherwise."""
    if len(text) > _DIGITS or not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number")
    return Decimal(text)


def truth(text: str) -> bool:
    """`true` or `false`, without case; ValueError otherwise."""
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is neither true nor false") from None


def _folded(compare: Compare) -> Compare:
    return lambda value, wanted: compare(value.lower(), wanted.lower())


def _read_by(read: Callable[[str], object], compare: Callable[..., bool]) -> Compare:
    return lambda value, wanted: bool(compare(read(value), read(wanted)))


def _in_network(value: str, wanted: str) -> bool:
    return ip_address(value) in ip_network(wanted, strict=False)


def _like(value: str, wanted: str) -> bool:
    return glob(wanted)(value)


_ORDER = {
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_CONTAINING = ("StringLike", "StringStartWith", "StringEndWith")  # the empty text is in every text
# The operator table: stem -> (reads a condition value or fails, compares). String operators without a remark ignore
# case.
_STEMS: dict[str, tuple[Callable[[str], object], Compare]] = {
    "StringEquals": (str, operator.eq),
    "StringEqualsIgnoreCase": (str, _folded(operator.eq)),
    "StringMatch": (str, _like),
    "StringLike": (str, _folded(lambda value, wanted: wanted in value)),  # the guide: "the value contains"
    "StringStartWith": (str, _folded(str.startswith)),
    "StringEndWith": (str, _folded(str.endswith)),
    "NumberEquals": (number, _read_by(number, operator.eq)),
    **{f"Number{name}": (number, _read_by(number, test)) for name, test in _ORDER.items()},
    **{f"Date{name}": (moment, _read_by(moment, test)) for name, test in _ORDER.items()},
    "Bool": (truth, _read_by(truth, operator.eq)),
    "IpAddress": (lambda text: ip_network(text, strict=False), _in_network),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotMatch": "StringMatch",
    "StringNotLike": "StringLike",
    "StringNotStartWith": "StringStartWith",
    "StringNotEndWith": "StringEndWith",
    "NumberNotEquals": "NumberEquals",
    "NotIpAddress": "IpAddress",
}
_ANY_OF = tuple(name for name in (*_STEMS, *_NEGATED) if "Equals" in name or "Like" in name or "With" in name)
OPERATORS = (*_STEMS, *_NEGATED, *(f"{name}AnyOf" for name in _ANY_OF if "Than" not in name), *_NULLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One operator, one key, its values."""

    operator: str  # as written
    key: str  # as written
    values: tuple[str, ...]
    compare: Compare | None = None  # None: one of the null tests
    null: str = ""  # "null", "present" or "empty" for the null tests
    negated: bool = False
    quantifier: str = ""
    if_exists: bool = False

    __test__ = False  # not a test of pytest's

    def holds(self, context: Context) -> bool | None:
        """Does the request meet this test? None: it cannot be known."""
        found = context.get(self.key)
        if found is None:
            present, absent = self._present(), self._absent()
            return present if present is absent else None
        if found is PRESENT:
            return self._present()
        if self.null:
            return self._null(found)
        if not found:
            return self._absent()
        try:
            return self._quantified([self._one(value) for value in found])
        except ValueError:  # the request's value is no number, date, truth or address
            return None

    def __str__(self) -> str:
        return f"{self.operator} {self.key} {'|'.join(self.values)}".rstrip()

    def _one(self, value: str) -> bool:
        compare = self.compare or operator.eq
        return any(compare(value, wanted) for wanted in self.values) is not self.negated

    def _quantified(self, answers: list[bool]) -> bool:
        if self.quantifier == "ForAnyValue":
            return any(answers)
        if self.quantifier == "ForAllValues" or self.negated:
            return all(answers)
        return any(answers)

    def _present(self) -> bool | None:
        """What holds of a request that carries the key with a value which is not known."""
        if self.null:
            return None if self.null == "empty" else self._null(("present",))
        return not self.negated if self._meets_all else None

    @property
    def _meets_all(self) -> bool:
        """Does one of the values match whatever the request carries?"""
        stem = _NEGATED.get(base := _split(self.operator)[1].removesuffix("AnyOf"), base)
        if stem == "StringMatch":
            return any(value and not value.strip("*") for value in self.values)
        return stem in _CONTAINING and "" in self.values

    def _absent(self) -> bool | None:
        """What holds of a request that is known not to carry the key."""
        if self.null:
            return self._null(())
        if self.if_exists:
            return True
        if self.quantifier:
            return self.quantifier == "ForAllValues"
        return None if self.negated else False

    def _null(self, found: tuple[str, ...]) -> bool:
        absent = not found or (self.null == "empty" and not any(found))
        wanted = {truth(value) for value in self.values} or {True}
        return (absent if self.null != "present" else not absent) in wanted


PRESENT: tuple[str, ...] = ("<present>",)  # the one object that stands for values which are not known


class Context:
    """What is known of a request: condition keys and their values."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        self._values = {fold(key): texts(value) for key, value in (values or {}).items()}

    def get(self, key: str) -> tuple[str, ...] | None:
        """The values of a key; () if it is known to be absent; None if it was not given; PRESENT: it is there."""
        folded = fold(key)
        if folded in self._values:
            return self._values[folded]
        return (datetime.now(UTC).isoformat(),) if folded == "g:currenttime" else None

    def about(self, action: str) -> Context:
        """The same, of a question about this action, whose first part is `g:ServiceName`."""
        return self if "g:servicename" in self._values else self.with_key("g:ServiceName", (action.partition(":")[0],))

    def with_key(self, key: str, values: tuple[str, ...]) -> Context:
        """The same with one key more; (): the request does not carry it, PRESENT: it does."""
        made = Context()
        made._values = {**self._values, fold(key): values}
        return made


_TYPED: dict[str, tuple[str, Callable[[str], object]]] = {
    "g:mfapresent": ("truth", truth),
    "g:mfaage": ("number", number),
    "g:currenttime": ("time", moment),
    "g:sourceip": ("address", ip_address),
}


def misfit(key: str, value: object) -> tuple[str, str] | None:
    """(what is expected, the value that is not): a value that no operator could compare with this global key."""
    kind, read = _TYPED.get(fold(key), ("", str))
    for text in texts(value):
        try:
            read(text)
        except ValueError:
            return kind, text
    return None


def fold(key: str) -> str:
    """A condition key as it is compared: without case up to the slash, a tag key exactly."""
    head, slash, tag = key.partition("/")
    return head.lower() + slash + tag


def texts(value: object) -> tuple[str, ...]:
    """The values of a key as text: booleans as true and false, times as ISO 8601, None as nothing."""
    match value:
        case None:
            return ()
        case bool():
            return (str(value).lower(),)
        case datetime():
            return (value.isoformat(),)
        case str() | int() | float():
            return (str(value),)
        case Iterable():
            return tuple(text for item in value for text in texts(item))
        case _:
            return (str(value),)


def parse(condition: Mapping[str, object]) -> tuple[Test, ...]:
    """The tests of a Condition; ConditionError naming operator and key."""
    return tuple(
        _test(name, key, values) for name, keys in condition.items() for key, values in _keys(name, keys).items()
    )


def known(name: str) -> bool:
    """Is this a documented operator, with or without quantifier and IfExists?"""
    return _split(name)[1] in OPERATORS


def _keys(name: str, keys: object) -> Mapping[str, object]:
    if not known(name):
        stem = _split(name)[1]
        near = get_close_matches(stem, OPERATORS, 1)
        guess = say("policies.meant", name=near[0]) if near else ""
        raise ConditionError(say("policies.unknown-operator") + guess, name)
    if not isinstance(keys, Mapping) or not keys:
        raise ConditionError(say("policies.operator-no-object"), name)
    return keys


def _split(name: str) -> tuple[str, str, bool]:
    quantifier, _, rest = name.rpartition(":")
    if quantifier not in ("", *_QUANTIFIERS):
        return "", name, False
    stem = rest.removesuffix("IfExists")
    return quantifier, stem if stem not in _NULLS else rest, stem != rest


def _test(name: str, key: str, given: object) -> Test:
    quantifier, stem, if_exists = _split(name)
    items = given if isinstance(given, list) else [given]
    if not all(isinstance(item, str | int | float) for item in items) or (not items and stem not in _NULLS):
        raise ConditionError(say("policies.no-values"), name, key)
    values = tuple(text for item in items for text in texts(item))
    if stem in _NULLS:
        _check(truth, values, name, key)
        return Test(operator=name, key=key, values=values, null=_NULLS[stem])
    base = stem.removesuffix("AnyOf")
    read, compare = _STEMS[_NEGATED.get(base, base)]
    _check(read, values, name, key)
    return Test(
        operator=name,
        key=key,
        values=values,
        compare=compare,
        negated=base in _NEGATED,
        quantifier=quantifier,
        if_exists=if_exists,
    )


def _check(read: Callable[[str], object], values: tuple[str, ...], name: str, key: str) -> None:
    for value in values:
        try:
            read(value)
        except ValueError:
            shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
            raise ConditionError(say("policies.no-comparable", value=shown, operator=name), name, key) from None
