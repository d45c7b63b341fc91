r"""`name = value` in the notations that texts use: the names are those of `field_names`, the values are masked.

JSON and reprs at any depth of quoting (`\"password\": \"…\"`), HTML entities, XML elements and attributes, forms,
multipart, headers, YAML, ini, TOML, HCL, connection strings, command lines, SQL, CSV, and plain sentences.

The text is searched once for pieces of telling words; around each hit the name is measured, and what follows it is
read with bounded steps. A value that is masked is not looked at again, and a delimiter that was missed once is never
searched for again: the work is linear in the length of the text, whatever stands in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol
from urllib.parse import unquote_plus

from pytest_hwcloud.secrets.encodings import MASK
from pytest_hwcloud.secrets.field_names import (
    ACCESS_KEY,
    LABELS,
    folded,
    hides,
    is_password,
    is_plural,
    is_trivial,
    kind_of,
    word_set,
)


class Learner(Protocol):
    """Who wants to know of the secrets and access keys that a rule finds."""

    def learn(self, secret: str) -> None: ...
    def learn_access_key(self, key: str) -> None: ...


_LONGEST_NAME = 80
_WINDOW = 4096  # characters of a line that are looked at for the end of a value
# A piece of each word that can stand at the end of a telling name, and how it is found in a folded text; only what
# occurs in a text is looked for with expressions.
_HINTS: dict[str, str] = {
    **{word: word for word in (
        "pass", "pwd", "secret", "token", "credential", "key", "code", "auth", "psk", "otp", "captcha", "mnemonic",
        "jwt", "sign", "cookie", "saml", "pkcs8", "phrase", "message", "kennwort", "paswort", "contrase", *LABELS,
    )},
    "plain": "plain.?text", "data": "user.?data", "kube": "kube.?conf", "docker": "docker.?conf",
    "conn": "conn[a-z]{0,6}.?str", "seed": "string.?seed", "sig": "(?<![a-z])sig(?![a-z])", "senha": "senha(?![a-z])",
    "ak": "(?<![a-z])[a-z]{0,3}ak(?![a-z])", "sk": "(?<![a-z])[a-z]{0,3}sk(?![a-z])",
    "access": "(?<![a-z])access(?![a-z])",
}  # fmt: skip
_CAMEL = re.compile("[a-z][AS]k(?![a-z])")  # appSk
_LABEL = re.compile(r"(?:SK|值|明文|\d)?(?:[(（][^()（）\r\n]{1,16}[)）])?")  # 密钥(SK)：…
_ACCESS_LABEL = re.compile(
    r"\s?(?:ID|AK|[(（]AK[)）])[\s：:=＝\"'>]{1,8}([A-Z0-9]{20})(?![A-Za-z0-9])"
)  # 访问密钥ID：…
_KEY_AFTER = re.compile(r"""[\s=:"'\\>]{1,12}([A-Z0-9]{20})(?![A-Za-z0-9])""")
_REFERENCE = re.compile(  # of a program or a template to where the value is
    r"\$?(?:var|local|data|module|each|self|this|config|settings|secrets|env|vars|process|os|args|options|params|request|ctx"
    r"|context|credentials|user|account|random_[a-z]+|huaweicloud_[a-z_]+|aws_[a-z_]+)\.[A-Za-z_][\w.\[\]]{0,80}[;,)]?"
    r"|!(?:secret|env|env_var|ref|sub|reference|include|var|ssm|Ref|Sub|GetAtt|ENV)[ ][^\r\n]{1,200}"
)
_COLUMN = re.compile(r"[A-Za-z]{3,12}\(\d")  # password VARCHAR(64)
_SCHEME = re.compile(r"\{[A-Za-z0-9-]{2,14}\}[^\s\"'<>]{4,400}")  # {SSHA}…
_FULL_STOP, _HAN_NEXT = re.compile("[，。；！？、（]"), re.compile("[\u4e00-\u9fff]")
_LEVEL = re.compile(r"[ ]\d{1,2}[ ](?=\S)")  # of the encryption, in the configuration of a switch: `secret 5 …`
_BRACKETS = re.compile(r"""\[([^\s\[\]"',]{4,400})\]""")
_NAME_CHARS = frozenset(
    {*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", *map(chr, range(0xC0, 0x370))}
    | {chr(0xFEE0 + ord(one)) for one in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"}
)
_PREVIOUS_WORD = re.compile(r"([A-Za-z-]{2,14})[ ]$")
_ENTITIES = ("&quot;", "&#34;", "&#39;", "&apos;", "&#x22;", "&#x27;", "\\u0022", "\\u0027")
_EQUALS = re.compile(r"(?:\]|%5[Dd])?[ \t]{0,8}(=>|:=|::(?=[ \t])|[:=：＝])[ \t]{0,8}")
_EQUALS_QUOTED = re.compile(r"\]?\s{0,16}(=>|:=|[:=：,])\s{0,16}")
_VALUE_ATTRIBUTE = re.compile(
    r"""[\s,]{1,16}["']?(?i:value|val|paramvalue|content|default|defaultvalue)["']?\s{0,8}[:=]\s{0,8}"""
)
_VALUE_ELEMENT = re.compile(r"\s{0,8}</[\w:.-]{1,60}>\s{0,64}<([\w:.-]{1,60})>")
_DEFAULT = re.compile(r"\s{0,4}\{[^{}]{0,300}?\b(?:default|value)\s{0,20}=\s{0,4}")
_FLAG = re.compile(r"--?[A-Za-z][A-Za-z-]{0,40}(?![^\s\"',\]])")
_NEXT_ITEM = re.compile(r"""["'],\s{0,8}["']""")
_CLOSED_TAG = re.compile(r"""(?:\s{1,8}[\w:.-]{1,40}="[^"<>]{0,200}"){0,6}\s{0,8}>""")
_AFTER_MULTIPART = re.compile(r"(?:;[^\r\n]{0,200})?(?:\r?\n[\w-]{1,40}:[^\r\n]{0,200}){0,6}\r?\n\r?\n")
_IS = re.compile(
    r"(?:[ ](?:for|of)[ ][\w'\"@.-]{1,40}){0,2}[ ](?:is|was|were|are|set[ ]to|equals|has[ ]been[ ]set[ ]to)"
    r"[ ]{0,2}[:=]?[ ]{0,4}"
    r"|[ ](?:reset|changed|updated|rotated|set)(?:[ ]from[ ][^\s]{1,60})?[ ]to[ ]{1,4}"
    r"|[ ]from[ ][^\s]{1,60}[ ]to[ ]{1,4}"
    r"|[ ]{0,2}[是为為]：?[ ]{0,2}"
)
_BARE = re.compile(r"""[^\s&;,"'<>\\|]{1,8192}""")
_WORD_VALUE = re.compile(r"""[^\s,;"'<>|\\)}\]&`]{1,8192}""")
_NEXT_PAIR = re.compile(
    r"""&[\w.\[\]%-]{1,60}=|;\s{0,4}[A-Za-z][\w .-]{0,40}=|,\s{0,4}["']?[\w.-]{1,60}["']?\s{0,2}[=:]"""
    r"""|[ \t]{1,4}[A-Za-z_][\w.-]{0,60}[=:](?!/)|\\[rn]|[ \t]#[ \t]"""
)
_ANCHOR = re.compile(
    r"""(?:^|[\r\n|{]|\\n)[ \t>#*+$-]{0,40}"""
    r"""(?:(?:export|set|setx|declare|local|readonly|-e|-H|ENV|ARG|let|var|const|val)[ ]{1,4}(?:-x[ ])?)?["']?$"""
)
_CALL = re.compile(r"[a-z][a-z0-9]{0,40}[_.][\w.]{1,60}[(\[]")  # `token = get_token(user)`
_HEREDOC = re.compile(r"""<<[~-]?[ ]?["']?(\w{1,40})["']?[ \t]*\r?\n""")
_BLOCK = re.compile(r"[|>][+-]?\d?[ \t]*\r?\n")
_ITEM = re.compile(r"[ \t]*\r?\n[ \t]{0,40}-[ \t]+([^\r\n]{1,2000})")
_LETTERS = re.compile(r"[A-Za-z][a-z]+[.!?:]?")
_OPTION = re.compile(r"(?:^|[\s\"'\[,=])--?[\w.-]{0,70}$")
# Words about a secret, which are none.
_STATUS = word_set("""
    invalid expired required missing incorrect wrong empty null none not must too should cannot can could would will
    may might is was are were has had have the a an no yes found unknown rejected accepted denied ok failed error
    errors fails mismatch weak strong short long changed reset updated deleted created revoked disabled enabled
    active inactive true false optional hidden unset set unchanged and or of for in on to from with without by at as
    if when this that it its auth authentication authorization based only field fields value values name names type
    policy manager management service services string text boolean integer number object array protected field-level
    mandatory deprecated supported unsupported available unavailable valid verified unverified provided given
    specified generated
""")


def mask(text: str, learner: Learner) -> str:
    """The text with the value of every telling name masked."""
    return _Scan(text, learner).run()


@lru_cache(maxsize=256)
def _any_of(pieces: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_HINTS[piece] for piece in pieces))


def hints(text: str) -> Iterable[tuple[int, int]]:
    """Where pieces of telling words stand, from left to right."""
    plain, places = folded(text)
    present = tuple(piece for piece in _HINTS if piece in plain)
    found = [match.span() for match in _any_of(present).finditer(plain)] if present else []
    if places is not None:
        found = [(places[start], places[end - 1] + 1) for start, end in found]
    if "Ak" in text or "Sk" in text:
        found = sorted({*found, *(match.span() for match in _CAMEL.finditer(text))})
    return found


class _Scan:
    """One pass over one text. edits: (start, end, replacement), in order and apart."""

    def __init__(self, text: str, learner: Learner) -> None:
        self.text, self.learner = text, learner
        self.edits: list[tuple[int, int, str]] = []
        self.done = 0
        self.missed: set[str] = set()  # delimiters that do not come again

    def run(self) -> str:
        text = self.text
        measured = -1
        for first, last in hints(text):
            if first < max(self.done, measured):
                continue
            start, end = self.name_around(first, last)
            measured = end
            self.named(start, end)
        if not self.edits:
            return text
        parts, at = [], 0
        for start, end, new in self.edits:
            parts += [text[at:start], new]
            at = end
        return "".join([*parts, text[at:]])

    # names ------------------------------------------------------------------------------------------------------------
    def name_around(self, start: int, end: int) -> tuple[int, int]:
        text = self.text
        if "\u2fff" < text[start] < "\uff00":
            return start, end
        low, high = max(self.done, start - _LONGEST_NAME), min(len(text), end + _LONGEST_NAME)
        while start > low and text[start - 1] in _NAME_CHARS:
            start -= 1
        while end < high and text[end] in _NAME_CHARS:
            end += 1
        while start < end and text[start] in ".-":
            start += 1
        while end > start and text[end - 1] in ".-":
            end -= 1
        return start, end

    def named(self, start: int, end: int) -> None:
        """Look at one name and what follows it."""
        text = self.text
        name = text[start:end]
        if start and text[start - 1] == "\\" and len(name) > 2:  # of \n, \u0022 and their kin is no part of the name
            if name[:5].lower() in ("u0022", "u0027", "u003c", "u003e", "u0026"):
                start, name = start + 5, name[5:]
            elif name[0] in "nrt" and kind_of(name) is None:
                start, name = start + 1, name[1:]
        if name in LABELS:
            self.labelled(start, end)
            return
        kind = kind_of(name)
        if kind is None and (before := _PREVIOUS_WORD.search(text, max(0, start - 16), start)):
            longer = f"{before[1]}_{name}"  # `Secret Access Key: …`, `API key = …`
            if (further := _PREVIOUS_WORD.search(text, max(0, before.start() - 16), before.start())) and not kind_of(
                longer
            ):
                longer = f"{further[1]}_{longer}"
            if kind_of(longer) is not None:
                self.sentence(longer, start, end) or self.assigned(longer, start, end)
            return
        if kind is None:
            return
        if kind == ACCESS_KEY:
            if key := _KEY_AFTER.match(text, end):
                self.learner.learn_access_key(key[1])
            return
        if start and self.element(name, start, end):
            return
        quote = self.quote_around(start, end)
        if quote:
            self.quoted_name(name, start, end, quote)
        elif not self.assigned(name, start, end):
            self.sentence(name, start, end) or self.argument(name, start, end)

    def labelled(self, start: int, end: int) -> None:
        """`登录密码：…`, `密钥(SK)：…`, `"密码": "…"`, `<密码>…</密码>`."""
        text, first = self.text, start
        while first and start - first < 16 and "\u2fff" < text[first - 1] < "\uff00":
            first -= 1
        if key := _ACCESS_LABEL.match(text, end):
            self.learner.learn_access_key(key[1])
            return
        if label := _LABEL.match(text, end):
            end = label.end()
        if quote := self.quote_around(first, end):
            self.quoted_name("password", first, end, quote)
        elif not (first and self.element("password", first, end)) and not self.sentence("password", start, end):
            self.assigned("password", start, end)

    def quote_around(self, start: int, end: int) -> str:
        """The quote on both sides of the name, with its backslashes; "" if there is none."""
        text = self.text
        last = text[start - 1] if start else ""
        if last in ('"', "'", "`") and last:
            at = start - 1
            while at and text[at - 1] == "\\" and start - at <= 16:
                at -= 1
            quote = text[at:start]
            return quote if text.startswith(quote, end) else ""
        for entity in _ENTITIES:
            if last == entity[-1] and text.endswith(entity, 0, start) and text.startswith(entity, end):
                return entity
        return ""

    # notations --------------------------------------------------------------------------------------------------------
    def element(self, name: str, start: int, end: int) -> bool:
        """`<Password attr="…">value</Password>`, also with a prefix, and escaped as entities."""
        text = self.text
        at = start
        if text[at - 1] == ":":
            at -= 1
            while at and start - at < 40 and (text[at - 1].isalnum() or text[at - 1] in "_-"):
                at -= 1
        for opening, closing in (("<", "</"), ("&lt;", "&lt;/")):
            if not text.endswith(opening, 0, at):
                continue
            if opening == "<":
                tag = _CLOSED_TAG.match(text, end)
                value = tag.end() if tag else -1
            else:
                value = end + 4 if text.startswith("&gt;", end) else -1
            if value >= 0:
                self.element_value(name, value, opening, closing)
                return True
            if pair := _VALUE_ATTRIBUTE.match(text, end):  # <Password value="…"/>
                self.value_at(name, pair.end(), "=", quoted=True)
                return True
            return False
        return False

    def element_value(self, name: str, start: int, opening: str = "<", closing: str = "</") -> bool:
        text = self.text
        if text.startswith("<![CDATA[", start):
            stop = self.find("]]>", start)
            return stop >= 0 and self.hide(name, start + 9, stop)
        stop = self.find(opening, start)
        if stop < 0 or not text.startswith(closing, stop):
            return False
        return self.hide(name, start, stop)

    def quoted_name(self, name: str, start: int, end: int, quote: str) -> None:
        """`"password": "…"`, `name="password" value="…"`, `key="password">…<`, multipart, a list of an argument."""
        text, after = self.text, end + len(quote)
        equals = _EQUALS_QUOTED.match(text, after)
        if equals and equals[1] != ",":
            self.value_at(name, equals.end(), equals[1], quoted=True)
            return
        if pair := _VALUE_ATTRIBUTE.match(text, after):
            self.value_at(name, pair.end(), "=", quoted=True)
        elif (body := _AFTER_MULTIPART.match(text, after)) and text[max(0, start - 6) : start - 1].endswith("name="):
            stop = self.find("\n--", body.end() - 1)
            stop = len(text) if stop < 0 else stop
            self.hide(name, body.end(), stop - (text[stop - 1 : stop] == "\r"))
        elif block := _DEFAULT.match(text, after):  # variable "password" { default = "…" }
            self.value_at(name, block.end(), "=", quoted=True)
        elif text.startswith(">", after):
            self.element_value(name, after + 1)
        elif equals and (
            text.endswith(("--", "-"), 0, start) or text[max(0, start - 1 - len(quote))] == "("
        ):  # ["--password", "…"]
            self.value_at(name, equals.end(), "=", quoted=True)
        elif text[max(0, start - 2 - len(quote)) : start].find("-") >= 0:
            self.argument(name, start, after)

    def assigned(self, name: str, start: int, end: int) -> bool:
        """`name=value`, `name: value`, and an element with the value after one with the name; whether it is one."""
        text = self.text
        equals = _EQUALS.match(text, end)
        if equals is None:
            if pair := _VALUE_ELEMENT.match(text, end):
                tag = pair[1].lower()
                if tag in ("td", "dd", "th"):
                    stop = self.text.find("<", pair.end(), pair.end() + _WINDOW)
                    return stop > 0 and looks_chosen(text[pair.end() : stop]) and self.hide(name, pair.end(), stop)
                return tag.endswith(("value", "val", "string", "content")) and self.element_value(name, pair.end())
            return False
        self.value_at(name, equals.end(), equals[1], anchor=start)
        return True  # whatever the value is, it is not read in another way

    def value_at(self, name: str, at: int, equals: str, *, quoted: bool = False, anchor: int = -1) -> bool:
        """Read and hide the value that begins here. anchor: where an unquoted name began."""
        text = self.text
        if opened := self.opening(at):
            return self.quoted_value(name, at, opened)
        first = text[at : at + 1]
        if first == "[":
            return self.list_value(name, at) or self.bracketed(name, at)
        if first == "{" and (scheme := _SCHEME.match(text, at)):
            return self.hide(name, at, scheme.end())
        if first == "{" and self.object_value(name, at):
            return True
        if first == "{" or not first:
            return False
        if quoted:
            return self.bare(name, at, _BARE)
        if self.is_anchored(anchor):
            return self.line_value(name, at, anchor)
        if equals in (":", "："):
            return self.word_value(name, at, spaced=text[at - 1] in " \t")
        return self.bare(name, at, _BARE)

    def sentence(self, name: str, start: int, end: int) -> bool:
        """`the password for root is: …`"""
        found = _IS.match(self.text, end)
        if found is None:
            return False
        if opened := self.opening(found.end()):
            return self.quoted_value(name, found.end(), opened)
        firm = found[0].rstrip().endswith((":", "=", "：", "＝", "是", "为", "為"))
        return self.word_value(name, found.end(), spaced=True, chosen=not firm)

    def argument(self, name: str, start: int, end: int) -> bool:
        """`--password …`, `IDENTIFIED BY PASSWORD '…'`, `login x password …`, `password 'x' is wrong`."""
        text = self.text
        option = _OPTION.search(text, max(0, start - 80), start) is not None and text[start - 1] == "-"
        if option and (item := _NEXT_ITEM.match(text, end)):  # ['--password', '…']
            return self.quoted_value(name, item.end() - 1, text[item.end() - 1])
        if text[end : end + 1] not in (" ", "\t", "("):
            return False
        at = end
        while at < min(end + 8, len(text)) and text[at] in " \t(":
            at += 1
        if level := _LEVEL.match(text, end):
            return self.word_value(name, level.end(), spaced=True, chosen=True)
        if opened := self.opening(at):
            sql = name.isupper() or option or text[end] == "("
            return self.quoted_value(name, at, opened, chosen=not sql)
        if option:
            return not _FLAG.match(text, at) and self.bare(name, at, _BARE)
        firm = self.is_anchored(start) and name.lower() in (
            "requirepass",
            "masterauth",
            "password",
            "auth-pass",
            "authpass",
        )
        return self.word_value(name, at, spaced=True, chosen=not firm)

    # values -----------------------------------------------------------------------------------------------------------
    def opening(self, at: int) -> str:
        """The quote that opens here, with its backslashes; "" if none does."""
        text, stop = self.text, at
        while text[stop : stop + 1] == "\\" and stop - at < 16:
            stop += 1
        if text[stop : stop + 1] in ('"', "'", "`"):
            if text.startswith(text[stop] * 3, stop):
                return text[stop] * 3
            return text[at : stop + 1]
        if text[at : at + 1] in ("&", "\\"):
            return next((entity for entity in _ENTITIES if text.startswith(entity, at)), "")
        if text[at : at + 2] in ('b"', "b'", 'u"', "u'", 'r"', "r'"):
            return text[at : at + 2]
        return ""

    def quoted_value(self, name: str, at: int, opened: str, chosen: bool = False) -> bool:
        text = self.text
        start = at + len(opened)
        quote = opened[-1] if len(opened) == 2 and opened[0] in "bur" else opened
        stop = self.closing(quote, start)
        if stop < 0:  # cut off
            stop = self.line_end(start)
        if chosen and not looks_chosen(text[start:stop]):
            return False
        if text[start : start + 1] == "{" and text[stop - 1 : stop] == "}" and is_trivial(text[start:stop]):
            return False
        return self.hide(name, start, stop)

    def closing(self, quote: str, start: int) -> int:
        """Where the quote closes: the same one, behind as many backslashes as opened it, not escaped further."""
        text = self.text
        mark = quote[-1]
        if quote in _ENTITIES or (len(quote) == 3 and quote[0] == mark):
            return self.find(quote, start)
        depth = len(quote) - 1
        at = start
        while (at := self.find(mark, at)) >= 0:
            back = at
            while back > start and text[back - 1] == "\\":
                back -= 1
            slashes = at - back
            if slashes % (2 * (depth + 1)) == depth:
                if mark == "'" and not depth and text.startswith("''", at):  # a doubled quote of SQL and YAML
                    at += 2
                    continue
                return at - depth
            if slashes < depth:
                return back  # an outer quote: the inner one was cut
            at += 1
        return -1

    def bare(self, name: str, at: int, pattern: re.Pattern[str]) -> bool:
        found = None if _CALL.match(self.text, at) else pattern.match(self.text, at)
        return found is not None and self.hide(name, at, found.end())

    def word_value(self, name: str, at: int, spaced: bool, chosen: bool = False) -> bool:
        """One word in the middle of a text: no secret if it is a word of the sentence."""
        text = self.text
        found = _WORD_VALUE.match(text, at)
        if found is None:
            return False
        word = found[0].rstrip(".!?：:。！？，；”")
        if text[max(0, at - 40) : at].endswith(":") and self.is_selector(at):
            return False
        if chosen and not looks_chosen(word):
            return False
        if spaced and (word.lower() in _STATUS or (_LETTERS.fullmatch(word) and self.goes_on(found.end()))):
            return False
        return bool(word) and self.hide(name, at, at + len(word))

    def is_selector(self, at: int) -> bool:
        """Whether this is the pseudo-class of a style sheet: `.password:focus {`."""
        start = at - 1
        while start and self.text[start - 1] in _NAME_CHARS:
            start -= 1
        return self.text[start : start + 1] == "." and self.text[start - 1 : start] in ("", " ", "\n", "}")

    def goes_on(self, at: int) -> bool:
        """Whether a sentence goes on here: a blank and a word in small letters."""
        following = self.text[at : at + 3]
        return len(following) == 3 and following[0] == " " and following[1:].isalpha() and following[1:].islower()

    def line_value(self, name: str, at: int, anchor: int) -> bool:
        """The rest of a line, as ini files, YAML, headers and shells have it."""
        text = self.text
        if _CALL.match(text, at):
            return False
        if heredoc := _HEREDOC.match(text, at):
            stop = text.find("\n" + heredoc[1], heredoc.end() - 1)
            margin = re.compile(rf"\n[ \t]{{0,40}}{re.escape(heredoc[1])}(?!\w)").search(text, heredoc.end() - 1)
            stop = margin.start() if margin else len(text) if stop < 0 else stop
            return self.hide(name, heredoc.end(), stop)
        if block := _BLOCK.match(text, at):
            return self.block_value(name, block.end(), anchor)
        stop = self.line_end(at)
        opened = text[anchor - 1] if anchor and text[anchor - 1] in "\"'" else ""
        if opened and (close := text.find(opened, at, stop)) >= 0:  # -H 'X-Auth-Token: …'
            stop = close
        if anchor and text[anchor - 1] == "|" and (bar := text.find("|", at, stop)) >= 0:
            stop = bar
        if cut := _NEXT_PAIR.search(text, at, stop):
            stop = cut.start()
        if (bar := text.find("|", at, stop)) >= 0 and " " not in text[at:bar]:
            stop = bar
        while stop > at and text[stop - 1] in " \t\r;,":
            stop -= 1
        if stop == at:
            return self.items_value(name, at)
        words = text[at : min(stop, at + 200)].split()
        if len(words) > 1 and words[0].lower().rstrip(".,;:") in _STATUS:
            return False
        if (
            len(words) > 2
            and all(_LETTERS.fullmatch(word) for word in words[:12])
            and kind_of(name)
            and not is_password(name)
        ):
            return False  # `secret: name of the secret`
        return self.hide(name, at, stop)

    def block_value(self, name: str, at: int, anchor: int) -> bool:
        """A block scalar of YAML: the lines that are indented further than the name."""
        text = self.text
        start = max(text.rfind("\n", 0, anchor) + 1, 0)
        margin = len(text[start:anchor]) - len(text[start:anchor].lstrip(" -"))
        stop = at
        while stop < len(text):
            end = text.find("\n", stop)
            line = text[stop : len(text) if end < 0 else end]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= margin:
                break
            stop = len(text) if end < 0 else end + 1
        first = at
        while first < stop and text[first] in " \t":
            first += 1
        while stop > first and text[stop - 1] in "\r\n ":
            stop -= 1
        return stop > first and self.hide(name, first, stop)

    def items_value(self, name: str, at: int) -> bool:
        """The items of a YAML list below a plural name, each on its line."""
        if not is_plural(name):
            return False
        hidden = False
        while found := _ITEM.match(self.text, at):
            start, stop = found.span(1)
            value = self.text[start:stop].rstrip()
            if ": " in value:
                break
            if value[:1] in "\"'" and len(value) > 1:
                start, value = start + 1, value[1:-1]
            hidden = self.hide(name, start, start + len(value)) or hidden
            at = stop
        return hidden

    def list_value(self, name: str, at: int) -> bool:
        """The texts in `["…", "…"]`."""
        stop = self.text.find("]", at, at + _WINDOW)
        hidden, here = False, at + 1
        while 0 < here < stop:
            while here < stop and self.text[here] in " ,\t\r\n":
                here += 1
            opened = self.opening(here)
            if not opened:
                break
            close = self.closing(opened, here + len(opened))
            if close < 0:
                break
            hidden = self.hide(name, here + len(opened), close) or hidden
            here = close + len(opened)
            stop = max(stop, self.text.find("]", here, here + _WINDOW)) if stop < here else stop
        return hidden

    def bracketed(self, name: str, at: int) -> bool:
        """`password=[…]`, as logs have it."""
        found = _BRACKETS.match(self.text, at)
        return found is not None and self.hide(name, *found.span(1))

    def object_value(self, name: str, at: int) -> bool:
        """`secret_string={"u": "…"}`: a document whose own names are no hint. `PWD={…}` of ODBC."""
        text = self.text
        if name.lower().replace("_", "").endswith(("string", "value", "text", "binary")):
            try:
                _, stop = json.JSONDecoder().raw_decode(text[at : at + 4 * _WINDOW])
            except (ValueError, RecursionError):
                return False
            return self.hide(name, at, at + stop)
        if name.lower() in ("pwd", "password") and text[at + 1 : at + 2] not in ("{", '"', "'", "%", " ", "\n", "}"):
            stop = text.find("}", at, at + 200)
            inner = text[at + 1 : stop]
            return stop > 0 and not re.match(r"\w{1,40}\s*[:=]", inner) and self.hide(name, at + 1, stop)
        return False

    def is_anchored(self, anchor: int) -> bool:
        """Whether a name is the first on its line, or stands behind what introduces one."""
        return anchor >= 0 and _ANCHOR.search(self.text, max(0, anchor - 60), anchor) is not None

    # the ends of values -----------------------------------------------------------------------------------------------
    def find(self, what: str, start: int) -> int:
        """Where a delimiter comes next, -1 if it does not: then it is not searched for again."""
        if what in self.missed:
            return -1
        found = self.text.find(what, start)
        if found < 0:
            self.missed.add(what)
        return found

    def line_end(self, start: int) -> int:
        limit = min(len(self.text), start + _WINDOW)
        ends = [at for mark in "\r\n" if (at := self.text.find(mark, start, limit)) >= 0]
        return min([*ends, limit])

    def hide(self, name: str, start: int, stop: int) -> bool:
        """Mask this value if it is one; whether it was."""
        value = self.text[start:stop]
        if not value.isascii() and (end := _FULL_STOP.search(value)) and _HAN_NEXT.search(value, end.end()):
            stop = start + end.start()  # 密码为：…，请及时修改
            value = self.text[start:stop]
        if _REFERENCE.fullmatch(value.rstrip("])}; ")) or _COLUMN.match(value) or is_trivial(value.rstrip("])}; ")):
            return False
        if kind_of(name) == ACCESS_KEY:
            key = value.strip()
            if len(key) == 20 and key.isascii() and key.isalnum() and key.isupper():
                self.learner.learn_access_key(key)
            return False
        if start < self.done or not hides(name, value):
            if stop - start > 400:
                self.done = max(self.done, stop)
            return False
        self.learner.learn(unquote_plus(value) if "%" in value else value)
        self.edits.append((start, stop, MASK))
        self.done = stop
        return True


_LOWER, _UPPER, _DIGIT, _SYMBOL = map(re.compile, ("[a-z]", "[A-Z]", r"\d", r"[^\w/:.-]"))


def looks_chosen(value: str) -> bool:
    """Whether a word is no word of a language: it has digits, symbols or capitals inside."""
    if not 6 <= len(value) <= 400 or " " in value:
        return False
    lower, upper, digit = (pattern.search(value) is not None for pattern in (_LOWER, _UPPER, _DIGIT))
    if digit and (lower or upper):
        return True
    if len(value) >= 10 and lower and _UPPER.search(value, 1) is not None:
        return True
    return _SYMBOL.search(value) is not None and (lower or upper or digit)
