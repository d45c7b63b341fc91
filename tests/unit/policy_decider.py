"""A decider of its own, slow and plain, written from the policy syntax pages alone; the evaluator is held against it.

It knows nothing of the product: no import of it, no index, no memory. A question is decided by enumeration: every key
that nobody gave is tried as absent and with every value that the policies make a difference of; the decision is what
all of these agree in, else unknown.
"""

from __future__ import annotations

import itertools
import re
from datetime import datetime

UNSURE = "unsure"  # what no document decides: a negated operator on a key that is known to be absent


def decide(statements, action, *, aliases=(), resource=None, context=None):
    """allow, deny or unknown. aliases: further names that open the action. resource: a URN, "*", or None."""
    given = {fold(key): as_list(value) for key, value in (context or {}).items()}
    given.setdefault("g:servicename", [action.split(":")[0]])
    naming = [one for one in statements if names(one, [action, *aliases])]
    keys = {}
    for one in naming:
        for operator, pairs in one.get("Condition", {}).items():
            for key, values in pairs.items():
                if fold(key) not in given:
                    keys.setdefault(fold(key), []).append((operator, as_list(values)))
    cases = [dict(zip(keys, picked, strict=True)) for picked in itertools.product(*map(candidates, keys.values()))]
    found = {answer(naming, resource, {**given, **case}) for case in cases}
    return found.pop() if len(found) == 1 else "unknown"


def answer(naming, resource, context):
    """Any applicable Deny denies, else any applicable Allow allows, else the implicit deny; unsure stays unknown."""
    state = {"deny": set(), "allow": set()}
    for one in naming:
        state[one["Effect"].lower()].add(applies(one, resource, context))
    if True in state["deny"]:
        return "deny"
    if True in state["allow"]:
        return "unknown" if UNSURE in state["deny"] else "allow"
    return "unknown" if UNSURE in state["allow"] else "deny"


def applies(one, resource, context):
    parts = [on_resource(one, resource)]
    for operator, pairs in one.get("Condition", {}).items():
        parts += [holds(operator, as_list(values), context[fold(key)]) for key, values in pairs.items()]
    if False in parts:
        return False
    return UNSURE if UNSURE in parts else True


def names(one, spellings):
    if "NotAction" in one:
        return not any(pattern_meets(p, a) for p in one["NotAction"] for a in spellings)
    return any(pattern_meets(p, a) for p in one["Action"] for a in spellings)


def pattern_meets(pattern, action):
    return pattern in ("*", "*:*", "*:*:*") or meets(pattern.lower(), action.lower())


def meets(pattern, text):
    """`*` any characters, `?` one."""
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def on_resource(one, resource):
    negated = "NotResource" in one
    listed = one.get("NotResource", one.get("Resource"))
    if listed is None:
        return True
    everything = any(text in ("*", "*:*:*:*:*") for text in listed)
    if everything:
        return not negated
    if resource is None:
        return UNSURE
    return any(urn_meets(text, resource) for text in listed) is not negated


def urn_meets(pattern, resource):
    wanted, parts = pattern.split(":", 4), resource.split(":", 4)
    if len(wanted) != 5 or len(parts) != 5:
        return False
    same_case = [meets(w.lower(), p.lower()) for w, p in zip(wanted[:4], parts[:4], strict=True)]
    return all(same_case) and meets(wanted[4], parts[4])


def holds(operator, wanted, values):
    """One operator on one key; values: None for a key that is absent."""
    quantifier, _, rest = operator.rpartition(":")
    if rest == "Null":
        return any((not values) is (text.lower() == "true") for text in wanted)
    if_exists = rest.endswith("IfExists")
    stem = rest.removesuffix("IfExists")
    negated = "Not" in stem
    stem = stem.replace("Not", "")
    if not values:
        if if_exists:
            return True
        if quantifier:
            return quantifier == "ForAllValues"
        return UNSURE if negated else False
    answers = [any(compare(stem, value, one) for one in wanted) is not negated for value in values]
    return all(answers) if quantifier == "ForAllValues" or (negated and not quantifier) else any(answers)


def compare(stem, value, wanted):
    match stem:
        case "StringEquals":
            return value == wanted
        case "StringEqualsIgnoreCase":
            return value.lower() == wanted.lower()
        case "StringMatch":
            return meets(wanted, value)
        case "StringStartWith":
            return value.lower().startswith(wanted.lower())
        case "StringEndWith":
            return value.lower().endswith(wanted.lower())
        case "Bool":
            return value.lower() == wanted.lower()
    kind = "Number" if stem.startswith("Number") else "Date"
    left, right = (float(text) if kind == "Number" else instant(text) for text in (value, wanted))
    return {
        "Equals": left == right,
        "LessThan": left < right,
        "LessThanEquals": left <= right,
        "GreaterThan": left > right,
        "GreaterThanEquals": left >= right,
    }[stem.removeprefix(kind)]


def candidates(tests):
    """Absent, and the values of a key that can make a difference to these tests."""
    stems = {operator.rpartition(":")[2].removesuffix("IfExists").replace("Not", "") for operator, _ in tests}
    wanted = sorted({text for operator, values in tests for text in values if not operator.endswith("Null")})
    several = any(":" in operator for operator, _ in tests)
    if any(stem.startswith("Number") for stem in stems):
        singles = sorted({str(float(text) + step) for text in wanted for step in (-1, 0, 1)})
    elif any(stem.startswith("Date") for stem in stems):
        singles = ["1971-01-01T00:00:00Z", "2971-01-01T00:00:00Z", *wanted]
    elif "Bool" in stems:
        singles = ["true", "false"]
    else:
        shapes = [text.replace("*", "x").replace("?", "y") for text in wanted]
        singles = list(dict.fromkeys([*shapes, *wanted, *(text.upper() for text in shapes), "none-of-these"]))
    cases = [None, *([value] for value in singles)]
    if several:
        cases += [list(pair) for pair in itertools.combinations(singles, 2)]
    return cases


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def fold(key):
    head, slash, tag = key.partition("/")
    return head.lower() + slash + tag


def as_list(value):
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in as_list(item)]
    return [str(value).lower() if isinstance(value, bool) else str(value)]
