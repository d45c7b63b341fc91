"""One failure in plain words: who refused, what it means, what to do first.."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_hwcloud.cloud.failures import Failure, codes, read
from pytest_hwcloud.explanations import wording
from pytest_hwcloud.explanations.advice import advise
from pytest_hwcloud.explanations.circumstances import Circumstances, url_host
from pytest_hwcloud.secrets.shown_text import shown, shown_call

_LISTED, _LONGEST = 5, 120  # documented texts that are listed, and characters of one
_PLAIN = (
    "code", "status", "gate", "kind", "service", "message", "request_id", "call", "identity", "needs", "cause", "fix",
    "first_line", "lang",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A failure explained. str() is the whole text, labelled lines."""

    code: str | None
    status: int | None
    gate: str
    kind: str
    service: str | None
    message: str
    request_id: str | None
    actions: tuple[str, ...]
    cause: str
    fix: str
    causes: tuple[Explanation, ...] = ()
    call: str | None = None
    identity: str | None = None
    needs: str | None = None
    texts: tuple[str, ...] = ()  # of a bare code: the documented texts, each with its fix
    compare: tuple[str, ...] = ()  # the two canonical requests of a wrong signature, line by line
    first_line: str = ""
    lang: str = "en"

    @property
    def news(self) -> str:
        """`403 Ecs.0110 ecs:cloudServers:list`, for a short summary. Empty where the first line contains that."""
        if self.gate == "network" or not (self.code or self.needs):
            return ""
        status = str(self.status or "")
        code = self.code if self.code and not self.code.isdecimal() else ""
        return " ".join(part for part in (status, code, without_newer(self.needs or "")) if part)

    def lines(self) -> list[str]:
        """The first line and the labelled ones; what has no content is left out."""
        labels = wording.load(self.lang).labels
        width = max(wording.cells(labels[name]) for name in wording.LABELS)
        rows = [(name, line) for name in wording.LABELS for line in self._content(name)]
        named = [
            labels[name] if not number or rows[number - 1][0] != name else "" for number, (name, _) in enumerate(rows)
        ]
        return [
            self.first_line,
            *(
                f"  {label}{' ' * (width - wording.cells(label))}  {line}"
                for label, (_, line) in zip(named, rows, strict=True)
            ),
        ]

    def _content(self, name: str) -> tuple[str, ...]:
        value = self.request_id if name == "request" else getattr(self, name)
        return value if isinstance(value, tuple) else (value,) if value else ()

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def to_dict(self) -> dict[str, object]:
        """Plain data for machines."""
        plain: dict[str, object] = {name: getattr(self, name) for name in _PLAIN}
        listed = {"actions": list(self.actions), "texts": list(self.texts), "compare": list(self.compare)}
        return plain | listed | {"causes": [cause.to_dict() for cause in self.causes]}


def explain(obj: object, lang: str = "en", circumstances: Circumstances | None = None) -> Explanation | None:
    """Explain an answer, exception, body, traceback text, OBS result or bare code; None if there is nothing to."""
    words = wording.load(lang)
    failure = read(obj)
    return None if failure is None else _explained(failure, words, circumstances or _told(failure))


def _told(failure: Failure) -> Circumstances:
    """What is known of the call from a text alone: what the tables know of its method and URL."""
    if not (failure.method and failure.url):
        return Circumstances()
    from pytest_hwcloud.cloud.calls.calls import needs

    try:
        call = needs(failure.method, failure.url)
    except ValueError:
        return Circumstances()
    return Circumstances(
        service=call.service,
        needs=failure.actions or call.actions,
        needs_identity=call.identity_actions,
        operation=call.operation if not call.known else None,
    )


def code_line(code: str, lang: str = "en") -> str | None:
    """One line about a code: "Ecs.0110 · authorization · …"; None for a text that is no known code."""
    if not wording.is_plain_code(code) or (entry := codes.entry(code)) is None:
        return None
    words = wording.load(lang)
    return f"{entry.code} · {words.gate(entry.gate)} · {words.of(entry)[0]}"


def _explained(failure: Failure, words: wording.Texts, known: Circumstances) -> Explanation:
    entry = wording.entry_of(failure)
    advice = advise(failure, entry, known, words)
    texts = _texts(failure, entry, words) if not known.call else ()
    status = failure.status or (entry.status[0] if entry and len(entry.status) == 1 else None)
    return Explanation(
        code=failure.code,
        status=status,
        gate=failure.gate,
        kind=failure.kind,
        service=failure.service or known.service,
        message=shown(failure.message),
        request_id=failure.request_id,
        actions=failure.actions,
        cause=advice.cause,
        fix=words.say("fix-by-text") if any(" → " in text for text in texts) else advice.fix,
        texts=texts,
        causes=tuple(_explained(cause, words, known) for cause in failure.causes),
        call=shown_call(known.call) if known.call else _call(failure),
        identity=_identity(known, words),
        needs=_needs(failure, known, words),
        compare=advice.compare,
        first_line=_first_line(failure, status, words, known),
        lang=words.lang,
    )


def _texts(failure: Failure, entry: codes.Entry | None, words: wording.Texts) -> tuple[str, ...]:
    """The documented texts of a code that came alone, with the fix of each where they differ."""
    if entry is None or failure.message or failure.request_id or failure.url or failure.client or failure.causes:
        return ()
    known = codes.cases(entry)
    if len(known) < 2:
        return tuple(_short(message) for message in entry.messages[:_LISTED])
    return tuple(f"{_short(message)} → {words.of(case)[1]}" for message, case in known)


def _short(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"


def _call(failure: Failure) -> str | None:
    return shown_call(f"{failure.method or ''} {failure.url}".strip()) if failure.url else None


def _first_line(failure: Failure, status: int | None, words: wording.Texts, known: Circumstances) -> str:
    after = words.say("after", error=known.after) if known.after else ""
    if failure.gate == "network":
        what = words.say("no-answer", what=_fault(failure, words), host=_host(failure, words, known))
        return words.say("headline", text=what + after)
    what = _code(failure, status, words)
    verb = "failed" if failure.gate == "service" else "refused"
    source = words.say("from-gateway") if codes.is_gateway(failure.code) else _source(failure, words, known)
    return words.say("headline", text=words.say(verb, gate=words.gate(failure.gate), what=what) + source + after)


def _code(failure: Failure, status: int | None, words: wording.Texts) -> str:
    number = failure.code if failure.code and failure.code.isdecimal() else None
    fault = failure.details.get("type")  # nova's name for its fault; its code is the HTTP status
    named = fault if number and (fault or number == str(status)) else failure.code
    status = status or (int(number) if number and fault else None)
    http = f"HTTP {status}" if status else ""
    if not named:
        return http or words.say("no-code")
    return named + words.say("aside", text=http) if http else named


def _source(failure: Failure, words: wording.Texts, known: Circumstances) -> str:
    service = failure.service or known.service
    return words.say("from", service=service) if service else ""


def _fault(failure: Failure, words: wording.Texts) -> str:
    return words.say(f"fault-{failure.fault or failure.kind}")


def _host(failure: Failure, words: wording.Texts, known: Circumstances) -> str:
    host = failure.host or url_host((known.call or "").partition(" ")[2])
    return words.say("aside", text=host) if host else ""


def _identity(known: Circumstances, words: wording.Texts) -> str | None:
    if not known.identity:
        return None
    user = words.say("aside", text=words.say("user", user=known.user)) if known.user else ""
    if known.key and known.key[0]:  # hwcloud.yaml may name any user: the key is what the cloud looks at
        user = words.say("aside", text=words.say("key", key=known.key[0], place=known.key[1]))
    credential = _credential(known, words)
    return f"{known.identity}{user}" + (f" · {credential}" if credential else "")


def _credential(known: Circumstances, words: wording.Texts) -> str:
    match known.credential:
        case "aksk":
            return "AK/SK"
        case "none":
            return words.say("credential-none")
        case "token" if known.token_scope:
            scope = known.token_scope
            age = words.say("issued", age=wording.age(known.token_age, words)) if known.token_age is not None else ""
            return words.say(f"token-{scope.kind}", name=scope.name or scope.id) + age
        case "token":
            return words.say("token")
    return ""


def without_newer(needs: str) -> str:
    """The `needs` of an explanation in any language, without the finer names that 5.0 has for them."""
    return re.split(r"  \(|（", needs, maxsplit=1)[0]


def _needs(failure: Failure, known: Circumstances, words: wording.Texts) -> str | None:
    """The needed actions. Only where the authorization gate refused: elsewhere they would send the reader astray."""
    needed = known.needs or failure.actions or known.needs_identity
    if failure.gate != "authorization" or failure.kind == "account-restricted":
        return None
    if not needed:
        operation = f"{known.service} {known.operation}" if known.operation else ""
        return words.say("needs-undocumented", operation=operation) if operation else None
    finer = [action for action in known.needs_identity if action not in needed]
    return ", ".join(needed) + (words.say("needs-newer", names=", ".join(finer)) if finer else "")
