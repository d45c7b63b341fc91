"""Does this text still look as if it held a secret? Knows nothing of the scrubber: it opens every encoding and looks.

Shapes, not names of our own making: tokens, keys, PEM, credentials of basic auth, values under telling names, and plain
disorder (entropy). It would rather refuse a harmless text than pass a secret.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus

KNOWN = "a known secret"
_LAYERS = 4
_BORDERS = re.compile(r"[^a-z0-9]")
_RANDOM = "a random text"  # told only where nothing better is known
_CLEAN = re.compile(
    r"(?i)^[\W_]*(?:\*{3,}|<[^>]*>|\$?\{[^}]*\}|%\(?\w*\)?s|x{3,}|redacted|masked|hidden|none|null|true|false|undefined"
    r"|(?:required|optional|enabled|disabled|string|password|secret|token|yes|no|on|off)[\W_]*$)|\*{3}"
    r"|hwctest|redacted|^(?:example|dummy|fake|test|your|placeholder)[-_ ]|^(?:arn|urn):|^\$[A-Za-z_]\w*$"
)
_PUBLIC = re.compile(
    r"-----BEGIN (?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE REQUEST)-----[^-]*+-----END [A-Z ]+-----"
    r"|(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S{1,30}) AAAA[\w+/=]+|data:[\w.+/-]{1,80};base64,[\w+/=]+"
    r"|\bsha(?:1|224|256|384|512)[-:][\w+/=-]+"
)
_SHAPES = {
    "a private key (PEM)": re.compile(r"-----BEGIN[A-Z0-9 ]{0,30}PRIVATE KEY|PuTTY-User-Key-File-\d"),
    "a keystone token": re.compile(r"(?<![\w-])gAAAA[\w-]{40,}+"),
    "a web token (JWT)": re.compile(r"(?<![\w-])eyJ[\w-]{6,}+\.[\w-]{6,}+\.[\w-]*+"),
    "a signature": re.compile(r"(?i)Signature=\s{0,4}[0-9a-f]{40,}+"),
    "a password in a URL": re.compile(r"://[^/\s:@\"'<>*\\]{0,100}:[^/\s@\"'<>*\\:]{1,200}@"),
    "a token in a URL": re.compile(r"://(?=[^/\s@]{0,100}\d)[A-Za-z0-9_-]{20,100}@"),
    "a token of another vendor": re.compile(
        r"(?<![\w-])(?:(?:gh[opsur]_|github_pat_|glpat-|npm_|hvs\.|dop_v1_)[\w-]{16,}+|xox[a-z]-[\w-]{10,}+)"
    ),
    "the hash of a password": re.compile(r"\$(?:[1567y]|2[abxy]|apr1|argon2(?:id|i|d)|scrypt)\$[\w./$=,+-]{20,300}"),
    "the URL of a webhook": re.compile(
        r"(?i)/(?:web)?hooks?/(?:send\?key=)?(?=[\w-]{0,80}\d)[\w-]{16,200}|hooks\.slack\.com/services/[\w/-]{8,200}"
    ),
    "a password in a command": re.compile(
        r"(?i)\becho\s[^|\r\n]{0,80}:[^|\r\n*]{3,80}\|\s{0,4}(?:sudo\s)?chpasswd"
        r"|\bIDENTIFIED\s{1,4}BY\s{1,4}\\?['\"][^'\"*\r\n]{3,200}|\bsshpass\s{1,4}-p\s?(?!\*)\S{3,200}"
        r"|\b(?:curl|wget)(?=\s)[^\r\n]{0,200}?\s(?:-u|--user)[\s=]{1,4}[\"']?[^\s:\"']{1,60}:(?!\*)[^\s\"']{3,200}"
        r"|\b(?:requirepass|masterauth)\s{1,4}(?!\*)\S{3,200}"
    ),
}
_IAM = re.compile(r"(?<![A-Za-z0-9+/])MII[A-Za-z0-9+/_-]{60,}+")
_AK = re.compile(r"(?<![A-Za-z0-9])(?=[A-Z]{0,19}\d)(?=\d{0,19}[A-Z])(?!HWCTEST)[A-Z0-9]{20}(?![A-Za-z0-9])")
_SECRET_KEY = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9]{40}(?![A-Za-z0-9+/=_-])")
_DISORDER = re.compile(r"[A-Za-z0-9+/_-]{44,}+={0,2}")
_LONGEST_RANDOM = 2000  # characters; more is a file
# What letters without order are where they are called so: positions in a list, digests, ciphers, files, public keys.
_BENIGN = re.compile(
    r"(?i)(?:marker|cursor|(?:next|page|continuation|dkim|cipher|encrypted|public|object|file|zip)[\w-]{0,20}|etag|hash"
    r"|digest|sha-?\d{0,3}|md5|checksum|integrity|fingerprint|thumbprint|host_?id|x-[\w-]{1,30}-id(?:-2)?|request_?id"
    r"|trace_?id|upload_?id|version_?id|certificate|cert|crt|x5[ct]|image|icon|logo|qr_?code|picture|photo|avatar"
    r"|thumbnail|archive|blob|nonce|\bp|(?-i:<Key))[\"'\\\s:=>;]{1,8}$"
)
_SERIAL = re.compile(
    r"(?i)(?:serial|\bs/?n|imei|iccid|barcode|batch|order|invoice|part|product|model|version|build|revision|tracking"
    r"|device|asset|plate|etag|hash|checksum)[ _-]?(?:no|number|num|id|code|sn)?[\s\"'\\:=#>.&;quot-]{0,12}$"
)
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"PK\x03\x04", b"RIFF", b"\x7fELF", b"\x00\x00\x01\x00")
_BASIC = re.compile(r"(?i)\bbasic\s{1,8}([A-Za-z0-9+/=_-]{4,}+)")
_BEARER = re.compile(r"(?i)\bbearer\s{1,8}(?=\S{0,400}\d)([\w.~+/=-]{12,}+)")
# A name with letters of a secret in it; what it means is asked of its end, without borders and in small letters.
_NAME = re.compile(r"(?<![\w.])[A-Za-z_.][\w.:-]{1,79}+")
_HINT = re.compile(
    r"(?i)pass|pwd|secret|token|key|code|auth|credential|cookie|signature|sk|psk|data|message|kube|plain|string|otp|captcha"
    r"|saml|mnemonic|jwt|phrase|verifier|docker|pkcs8"
)
_QUALIFIER = re.compile(
    r"(?:values?|val|str|string|binary|blob|text|content|material|base64|b64|hex|raw|encoded|encrypted|enc|hash|plain"
    r"|confirm(?:ation|ed)?|again|repeat(?:ed)?|retype|new|old|current|original|default|temp(?:orary)?|prod|env|input"
    r"|header|field|param|pem|der|base|seal|(?<=key)data|(?<=token)data|(?<=secret)data|(?<=password)data|\d+)$"
)
_MARKS = re.compile(
    r"(?:password|passwd|passphrase|passcode|passkey|pwd|secret|secretaccess|token|psk|credential|keytab|kubeconf(?:ig)?"
    r"|signature|cookie|authorization|(?:secret|private|api|app|shared|signing|signature|sign|master|client|session|auth"
    r"|authentication|encryption|encrypt|decryption|account|storage|tls|ssl|ssh|rsa|hmac|aes|license|pre|preshared|data"
    r"|webhook|admin|root|deploy|service|subscription|primary|secondary|wrapping|cipher|dek|plaintext|secretaccess)key"
    r"|(?:access|app|auth|authorization|authentication|verification|verify|security|sms|token|invite|invitation"
    r"|activation|recovery|backup|otp|totp|mfa|pin|device|confirm|confirmation|login|captcha|challenge|onetime)code|userdata"
    r"|authorizationmessage|connectionstring|connstr(?:ing)?|keymaterial|plaintext|samlresponse|samlassertion"
    r"|codeverifier|stringseed|(?:seed|recovery)phrase|basicauth|registryauth|dockerconfig(?:json)?|otp|captcha|mnemonic"
    r"|jwt|pkcs8)s?$"
)
_BORDERED = re.compile(
    r"(?:^|[_.:-])(?:sk|SK|Sk|pw|PW)\d*$|[a-z](?:Sk|SK|Pass)\d*$|[_.:-](?i:pass)\d*$|^(?i:admin|user|root|db|my|login|new|old"
    r"|ssh|pg|mysql|redis)(?i:pass)\d*$"
)
_NOT_SECRET = re.compile(
    r"(?:next|previous|prev|page|pagination|continuation|continue|sync|scroll|delta|resume|start|starting|end|marker"
    r"|cursor|http|max|min|total|prompt|completion|input|output|cached|reasoning|used|num|per|stop|eos|bos|pad|unk"
    r"|special|fromid|client)tokens?$|pullsecrets?$|(?:foreign|public|primary|gnupg|tag|object)keys?$|aksk$"
    r"|ciphertext$|(?:content|function|method|supported)signature$|^authorizationmessages$"
)
# Quotes, escapes, entities and signs between a name and its value.
_QUOTES = r"""\\{0,8}["'`]?(?:&quot;|&#\d{2};|\\u002[27])?"""
_BETWEEN = re.compile(
    _QUOTES
    + r"\]?[ \t]{0,8}(?:=>|:=|[:=：]|>|[ ](?:is|are|was)[ ]{0,2}:?)\s{0,8}(?:[bur](?=[\"']))?\[?"
    + _QUOTES
    + r"(?:<!\[CDATA\[)?"
)
_PAIRED = re.compile(r"""["'][\s,]{1,8}["']?value["']?\s{0,4}[:=]\s{0,4}["']""")
_VALUE = re.compile(r"""[^\s"'<>&\\,;|`]{3,400}""")
_SMALL = frozenset(
    ["the", "a", "of", "must", "be", "is", "for", "to", "in", "and", "or", "not", "your", "than", "with"]
)
_ABOUT = frozenset(["password", "passwords", "token", "secret", "key", "code", "credential", "credentials"])
_CALL = re.compile(r"[a-z][a-z0-9]{0,40}[_.][\w.]{1,60}[(\[]")  # `token = get_token(user)`
_REFERENCE = re.compile(
    r"\$?(?:var|local|data|module|each|self|this|config|settings|secrets|env|vars|process|os|args|options|params|request|ctx"
    r"|context|credentials|user|account|random_[a-z]+|huaweicloud_[a-z_]+|aws_[a-z_]+)\.[A-Za-z_][\w.\[\]]{0,80}"
)
_FIREWALL = re.compile(  # cookies that web firewalls and load balancers set by themselves: they log nobody in
    r"(?i)HWWAFSES(?:ID|TIME)|__cf_?(?:bm|duid|lb|ruid)|cf_clearance|_cfuvid|acw_tc|aliyungf_tc|BIGipServer[^=]*"
    r"|TS[0-9a-f]{6,}|incap_ses_[\w-]+|visid_incap_[\w-]+|nlbi_[\w-]+|AWSALB\w*|AWSELB\w*|ARRAffinity\w*"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{32}")
_SECRET_HEADER = re.compile(r"(?i)token|authorization|cookie|signature|secret|credential|api-?key|password")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}+={0,2}")
_ESCAPED = re.compile(r"\\(u[0-9A-Fa-f]{4}|[\"'\\/nrt])")


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """What looks like a secret, where it stands, how it is wrapped; `shown` gives no more than two letters away."""

    kind: str
    place: str
    shown: str
    wrapped: tuple[str, ...] = ()
    value: str = field(default="", repr=False, compare=False)  # never told

    def __str__(self) -> str:
        how = f", {' inside '.join(self.wrapped)}" if self.wrapped else ""
        return f"{self.place}: {self.kind} ({self.shown}{how})"


def suspicions(text: str, place: str, known: Collection[str] = ()) -> list[Suspicion]:
    """What in this text looks like a secret, with the place told as given; each thing once."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for wrapped, layer in _layers(text, ()):
        last = next(_whole(layer), None) is None  # names and quotes are readable, which say what letters are for
        for kind, value in _hits(layer, known, last):
            found.setdefault(value, (kind, wrapped))
    return [
        Suspicion(kind=kind, place=place, shown=shown(value), wrapped=wrapped, value=value)
        for value, (kind, wrapped) in found.items()
        if kind != _RANDOM or not any(value in other or other in value for other in found if other != value)
    ]


def in_headers(headers: Mapping[str, str], place: str, known: Collection[str] = ()) -> list[Suspicion]:
    """What in these headers looks like a secret."""
    found: list[Suspicion] = []
    for name, value in headers.items():
        here = f"{place} header {name}"
        if firewall_cookies(name, value) or (name.lower().endswith("client-token") and _UUID.fullmatch(value)):
            continue
        if _SECRET_HEADER.search(name) and len(value) > 2 and not _CLEAN.search(value):
            found.append(Suspicion(kind="a secret header", place=here, shown=shown(value), value=value))
        else:
            found += suspicions(value, here, known)
    return found


def in_body(body: bytes, place: str, known: Collection[str] = ()) -> list[Suspicion]:
    """What in this body looks like a secret; in JSON the place is the path of the member."""
    text = _text_of(body)
    if text is None:
        found = body.decode("latin-1")
        return suspicions(found, place, known) if _any_shape(found, known) else []
    if not suspicions(text, place, known):
        return []
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _by_line(text, place, known)
    precise = [one for path, words in _members(document, "$") for one in suspicions(words, f"{place} {path}", known)]
    return precise or suspicions(text, place, known)


def _by_line(text: str, place: str, known: Collection[str]) -> list[Suspicion]:
    lines = [one for n, line in enumerate(text.splitlines(), 1) for one in suspicions(line, f"{place} line {n}", known)]
    return lines or suspicions(text, place, known)


def _members(value: object, path: str, name: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _members(item, f"{path}.{key}", key)
        case list():
            for index, item in enumerate(value):
                yield from _members(item, f"{path}[{index}]", name)
        case str():  # with its name, which may be what gives it away
            yield path, json.dumps({name: value}, ensure_ascii=False)[1:-1] if name else value


def _layers(text: str, wrapped: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The text, and every text that it is the encoding of; what is done to a whole text is done in turn, not in all
    orders, so that there are few layers."""
    seen: set[str] = set()
    todo = [(wrapped, text)]
    while todo:
        how, layer = todo.pop()
        if layer in seen:
            continue
        seen.add(layer)
        yield how, layer
        if len(how) >= _LAYERS:
            continue
        todo += [((label, *how), inner) for label, inner in _runs(layer)]
        todo += [((label, *how), inner) for label, inner in _whole(layer)]


def _whole(text: str) -> Iterator[tuple[str, str]]:
    if "%" in text and (inner := (unquote_plus if "+" in text else unquote)(text)) != text:
        yield "percent-encoded", inner
    elif "\\" in text and (inner := _ESCAPED.sub(_unescaped, text)) != text:
        yield "escaped", inner
    elif "&" in text and (inner := html.unescape(text)) != text:
        yield "HTML-escaped", inner


def _runs(text: str) -> Iterator[tuple[str, str]]:
    for run in set(_RUN.findall(text)):
        for part in {run, *run.split("/")} if "/" in run else (run,):
            if len(part) >= 12 and (inner := _decoded(part)) is not None:
                yield inner


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if code[0] == "u" else {"n": "\n", "r": "\r", "t": "\t"}.get(code, code)


def _decoded(run: str) -> tuple[str, str] | None:
    if re.fullmatch(r"(?:[0-9a-fA-F]{2}){8,}", run):
        text = _text_of(bytes.fromhex(run))
        return ("in hex", text) if text and text.isprintable() else None
    bare = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        text = _text_of(base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None
    if not text or not all(letter.isprintable() or letter in "\r\n\t" for letter in text):
        return None
    return "in base64", text


def _text_of(raw: bytes) -> str | None:
    if raw.startswith(b"\x1f\x8b"):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error):
            return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _hits(text: str, known: Collection[str], last: bool = True) -> Iterator[tuple[str, str]]:
    if any(word in text for word in ("-----", "ssh-", "ecdsa-", ";base64,", "sha")):
        text = _PUBLIC.sub(" ", text)
    yield from ((KNOWN, secret) for secret in _known_in(text, known))
    for kind, pattern in _SHAPES.items():
        yield from ((kind, match[0]) for match in pattern.finditer(text) if "***" not in match[0])
    yield from (("an IAM token", match[0]) for match in _IAM.finditer(text) if not _is_public(match[0]))
    for match in _AK.finditer(text):
        if not _SERIAL.search(text, max(0, match.start() - 40), match.start()):
            yield "an access key (AK)", match[0]
    for match in _SECRET_KEY.finditer(text) if last else ():
        if (
            _kinds(match[0]) == 3
            and _entropy(match[0]) > 4.0
            and _decoded(match[0]) is None
            and not _is_benign(text, match)
        ):
            yield "a secret key (SK)", match[0]
    yield from _named(text)
    lower = text.lower()
    if "basic" in lower or "bearer" in lower:
        yield from _credentials(text)
    if last:
        yield from _disorder(text)


def _known_in(text: str, known: Collection[str]) -> Iterator[str]:
    grams = {text[at : at + 4] for at in range(len(text) - 3)} if len(known) > 64 else None
    yield from (one for one in known if (grams is None or one[:4] in grams) and one in text)


def _is_public(run: str) -> bool:
    """Whether DER in base64 is a certificate or a public key: its first member is a sequence."""
    try:
        return base64.b64decode(run[:8].replace("-", "+").replace("_", "/"))[4:5] == b"0"
    except (binascii.Error, ValueError):
        return False


def _named(text: str) -> Iterator[tuple[str, str]]:
    """Values behind names that end like those of secrets, whatever quotes and signs stand between."""
    for found in _NAME.finditer(text):
        whole = found[0]
        if not _HINT.search(whole):
            continue
        ends = {len(whole.rstrip(".-:"))} | ({whole.index(":")} if ":" in whole else set())
        for end in sorted(ends):
            if not marks(whole[:end]) and whole[:end] != "auth":
                continue
            value = _value_after(text, found.start(), found.start() + end)
            if whole[:end] == "auth" and not (value and ":" in (_decoded(value) or ("", ""))[1]):
                continue
            if value is not None and not _CLEAN.search(value):
                yield f"a value named {whole[:end]}", value
                break


def _value_after(text: str, start: int, end: int) -> str | None:
    between = _PAIRED.match(text, end) or _BETWEEN.match(text, end)
    if between is None and not (text[max(0, start - 2) : start] == "--" and text[end : end + 1] == " "):
        return None
    at = between.end() if between else end + 1
    found = _VALUE.match(text, at)
    if found is None:
        return None
    quoted = text[at - 1] in "\"'`>;=" and text[at - 1 : at] != " "
    if re.fullmatch(r"(?:%[0-9A-Fa-f]{2})+", found[0]):
        return None  # quotes and blanks: the layer below tells what is between them
    if re.match(r"\$\{|\$ref|(?:bool(?:ean)?|int(?:eger)?|number|object|array|any)$", found[0]) or found[0][-1] == ":":
        return None
    if found[0].isdigit() and len(found[0]) < 10 and not re.search(r"(?i)pass|pwd|code|pin|otp", text[start:end]):
        return None
    if not quoted and (
        _REFERENCE.fullmatch(found[0]) or text[start:end] == text[start:end].lower() == found[0].lower()
    ):
        return None
    if len(re.findall("[\u4e00-\u9fff]", found[0])) >= 2:
        return None
    word, following = found[0].rstrip(".,!?:"), text[found.end() : found.end() + 1]
    if not quoted and word.isalpha() and word.islower() and (following in (" ", ",") or word != found[0]):
        return None  # "Bad password: too short"
    if not quoted and _CALL.match(text, at):
        return None
    words = re.split(r"[\"<\n\\]", text[at : at + 400], maxsplit=1)[0].lower().split()
    if (
        len(words) >= 2
        and all(word.strip(".,;:!?'").isalpha() for word in words)
        and not _ABOUT.isdisjoint(word.strip(".,;:!?") for word in words)
    ):
        return None  # "Forgot your password?"
    if len(words) >= 4 and sum(word.strip(".,;:") in _SMALL for word in words) >= 2:
        return None  # "the name of the secret"
    return found[0]


def marks(name: str) -> bool:
    """Whether a name ends like the name of a secret."""
    parts = [part for part in re.split(r"[:./\[\]]+", name) if part and not part.isdigit()]
    if not parts:
        return False
    short = _BORDERS.sub("", parts[-1].lower())
    if _BORDERED.search(parts[-1]) or _BORDERS.sub("", name.lower()) == "tlskey":
        return True
    for _ in range(5):
        if _NOT_SECRET.search(short):
            return False
        if _MARKS.search(short):
            return True
        cut = _QUALIFIER.sub("", short)
        if cut in (short, ""):
            return False
        short = cut
    return False


def _credentials(text: str) -> Iterator[tuple[str, str]]:
    for match in _BASIC.finditer(text):
        inner = _decoded(match[1])
        if inner and ":" in inner[1] and not _CLEAN.search(inner[1]):
            yield "credentials of basic auth", match[1]
    for match in _BEARER.finditer(text):
        if not _CLEAN.search(match[1]):
            yield "a bearer token", match[1]


def _disorder(text: str) -> Iterator[tuple[str, str]]:
    for match in _DISORDER.finditer(text):
        run = match[0]
        if len(run) > _LONGEST_RANDOM or run.count("/") >= 3 or _kinds(run) < 3 or _entropy(run) <= 4.6:
            continue
        if not _is_benign(text, match) and _decoded(run) is None:
            yield _RANDOM, run


def _is_benign(text: str, match: re.Match[str]) -> bool:
    """Whether letters without order have a reason: their name, the file that they are, the path of a URL."""
    start = match.start()
    if _BENIGN.search(text, max(0, start - 48), start) or _is_public(match[0]):
        return True
    address = re.split(r"[\s\"'<>]", text[max(0, start - 300) : start])[-1]
    if ("://" in address and "?" not in address) or address[-1:] == "/":
        return True
    try:
        return base64.b64decode(match[0][:16].replace("-", "+").replace("_", "/")).startswith(_MAGIC)
    except (binascii.Error, ValueError):
        return False


def is_text(body: bytes) -> bool:
    """Whether these bytes can be read."""
    try:
        return all(letter.isprintable() or letter.isspace() for letter in body[:4096].decode(errors="strict")[:-4])
    except UnicodeDecodeError as error:
        return error.start > 4000 and error.reason == "unexpected end of data"


def _any_shape(text: str, known: Collection[str]) -> bool:
    patterns = (*_SHAPES.values(), _IAM, _AK)
    return any(pattern.search(text) for pattern in patterns) or next(_known_in(text, known), None) is not None


def firewall_cookies(name: str, value: str) -> int:
    """How many cookies a header holds, if web firewalls and load balancers set all of them; else 0."""
    lines = re.split(r",(?=\s{0,8}[^;,\s=]{1,80}=)", value)
    if name.lower() == "set-cookie":
        pairs = [line.partition(";")[0].strip() for line in lines]
    elif name.lower() == "cookie":
        pairs = [pair.strip() for pair in value.split(";") if pair.strip()]
    else:
        return 0
    return len(pairs) if all(_FIREWALL.fullmatch(pair.partition("=")[0]) for pair in pairs) else 0


def _kinds(text: str) -> int:
    return sum(any(map(test, text)) for test in (str.islower, str.isupper, str.isdigit))


def _entropy(text: str) -> float:
    """Bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def shown(value: str) -> str:
    """A secret as it may be told: two letters and its length."""
    return f"{value[:2]}…, {len(value)} characters" if len(value) > 8 else f"{len(value)} characters"
