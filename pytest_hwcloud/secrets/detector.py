"""Does this text still look as if it held a secret? Knows nothing of the scrubber: it opens every encoding and looks.

Shapes, not names that we made up: tokens, keys, PEM, credentials of basic auth, values under telling names, and plain
disorder (entropy). It would rather refuse a harmless text than pass a secret.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import json
import math
import re
import tarfile
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import unquote, unquote_plus

KNOWN = "a known secret"
# How places are called; with other words the same places are shown in another language.
PLACES = {"at-header": "{place} header {name}", "at-line": "{place} line {number}", "at-file": "{place} file {name}"}
_LAYERS = 4
_LARGEST_FILE = 16 << 20  # bytes of a file in an archive that is looked into
_MOST_COMPARED = 200  # findings of which is looked whether a more precise one has them
_GRAM = 16  # characters of a value by which it is looked for in others
_BORDERS = re.compile(r"[^a-z0-9]")
_RANDOM = "a random text"  # reported only where nothing better is known
_CLEAN_START = re.compile(
    r"(?i)[\W_]*(?:\*{3,}|<[^>]*>|\$?\{[^}]*\}|%\(?\w*\)?s|x{3,}|redacted|masked|hidden|filtered|removed|scrubbed|obfuscated|sanitized|censored|none|null|true|false|undefined"
    r"|(?:required|optional|enabled|disabled|string|password|secret|token|yes|no|on|off)[\W_]*$)"
    r"|(?:example|dummy|fake|test|your|placeholder)[-_ ]|(?:arn|urn):|\$[A-Za-z_]\w*$"
)
_PUBLIC = re.compile(
    r"-----BEGIN (?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE REQUEST)-----[^-]*+-----END [A-Z ]+-----"
    r"|(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S{1,30}) AAAA[\w+/=]+|data:[\w.+/-]{1,80};base64,[\w+/=]+"
    r"|\bsha(?:1|224|256|384|512)[-:][\w+/=-]+"
)
# Words (in small letters) of which one is in every text of the kind; what identifies it.
_SHAPES: dict[str, tuple[tuple[str, ...], re.Pattern[str]]] = {
    "a private key (PEM)": (
        ("private key", "putty"),
        re.compile(r"-----BEGIN[A-Z0-9 ]{0,30}PRIVATE KEY|PuTTY-User-Key-File-\d"),
    ),
    "a keystone token": (("gaaaa",), re.compile(r"(?<![\w-])gAAAA[\w-]{40,}+")),
    "a web token (JWT)": (("eyj",), re.compile(r"(?<![\w-])eyJ[\w-]{6,}+\.[\w-]{6,}+\.[\w-]*+")),
    "a signature": (("signature",), re.compile(r"(?i)Signature=\s{0,4}[0-9a-f]{40,}+")),
    "a password in a URL": (("://",), re.compile(r"://[^/\s:@\"'<>*\\]{0,100}:[^/\s@\"'<>*\\:]{1,200}@")),
    "a token in a URL": (("://",), re.compile(r"://(?=[^/\s@]{0,100}\d)[A-Za-z0-9_-]{20,100}@")),
    "a token of another vendor": (
        ("ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "npm_", "hvs.", "dop_v1_", "xox"),
        re.compile(
            r"(?<![\w-])(?:(?:gh[opsur]_|github_pat_|glpat-|npm_|hvs\.|dop_v1_)[\w-]{16,}+|xox[a-z]-[\w-]{10,}+)"
        ),
    ),
    "the hash of a password": (
        ("$",),
        re.compile(r"\$(?:[1567y]|2[abxy]|apr1|argon2(?:id|i|d)|scrypt)\$[\w./$=,+-]{20,300}"),
    ),
    "the URL of a webhook": (
        ("hook",),
        re.compile(
            r"(?i)/(?:web)?hooks?/(?:send\?key=)?(?=[\w-]{0,80}\d)[\w-]{16,200}|hooks\.slack\.com/services/[\w/-]{8,200}"
        ),
    ),
    "a token in a path": (
        ("/",),
        re.compile(
            r"(?i)/(?:[a-z0-9-]{0,20}[_-])?(?:(?:access|auth|refresh|api|reset|invite)?tokens?|api[_-]?keys?|invit(?:e|ation)s?"
            r"|activat(?:e|ion)s?|(?:password[_-]?)?resets?|verif(?:y|ication)|magic[_-]?links?|unsubscribe|otp|jwt)"
            r"/(?![0-9a-f]{8}-|[0-9a-f]{32}[/?#])(?=[\w~-]{0,200}\d)(?=[\w~-]{0,200}[a-z])(?-i:(?=[\w~-]{0,200}[A-Z]))[\w~-]{16,200}"
            r"(?=[/?#\s\"'<>&\\]|$)"
        ),
    ),
    "a password in a command": (
        ("chpasswd", "identified", "sshpass", "curl", "wget", "requirepass", "masterauth"),
        re.compile(
            r"(?i)\becho\s[^|\r\n]{0,80}:[^|\r\n*]{3,80}\|\s{0,4}(?:sudo\s)?chpasswd"
            r"|\bIDENTIFIED\s{1,4}BY\s{1,4}\\?['\"][^'\"*\r\n]{3,200}|\bsshpass\s{1,4}-p\s?(?!\*)\S{3,200}"
            r"|\b(?:curl|wget)(?=\s)(?:(?!\b(?:curl|wget)\s)[^\r\n]){0,200}?\s(?:-u|--user)[\s=]{1,4}[\"']?[^\s:\"']{1,60}"
            r":(?!\*)[^\s\"']{3,200}|\b(?:requirepass|masterauth)\s{1,4}(?!\*)\S{3,200}"
        ),
    ),
}
_SHAPE_WORDS = tuple((word, kind) for kind, (words, _) in _SHAPES.items() for word in words)
_IAM = re.compile(r"(?<![A-Za-z0-9+/_-])MII[A-Za-z0-9+/_-]{60,}+")
_AK = re.compile(r"(?<![A-Za-z0-9])(?=[A-Z]{0,19}\d)(?=\d{0,19}[A-Z])(?!HWCTEST)[A-Z0-9]{20}(?![A-Za-z0-9])")
_SECRET_KEY = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9]{40}(?![A-Za-z0-9+/=_-])")
_DISORDER = re.compile(r"[A-Za-z0-9+/_-]{44,}+={0,2}")
_LONGEST_RANDOM = 2000  # characters; more is a file, also in lines
_WRAPPED_LINES = re.compile(
    r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{48,76}+(?:\r?\n|\\r\\n|\\n)[ \t]*+)++(?:[A-Za-z0-9+/]{1,76}+={0,2})?+"
)
# What letters without order are where they are called so: positions in a list, digests, ciphers, files, public keys.
_BENIGN = re.compile(
    r"(?i)(?:marker|cursor|scroll_?id|(?:next|prev(?:ious)?|page|continuation|sync|scroll|delta|resume|dkim|cipher|encrypted|public|object|file|zip)[\w-]{0,20}|etag|hash"
    r"|digest|sha-?\d{0,3}|md5|checksum|integrity|fingerprint|thumbprint|host_?id|x-[\w-]{1,30}-id(?:-2)?|request_?id"
    r"|trace_?id|upload_?id|version_?id|certificate|cert|crt|x5[ct]|image|icon|logo|qr_?code|picture|photo|avatar"
    r"|thumbnail|archive|blob|nonce|\b[pnxy]|(?-i:<Key))[\"'\\\s:=>;]{1,8}$"
)
_SERIAL_WORDS = (
    "serial", "sn", "s/n", "imei", "iccid", "barcode", "batch", "order", "invoice", "part", "product", "model",
    "version", "build", "revision", "tracking", "device", "asset", "plate", "etag", "hash", "checksum",
)  # fmt: skip
_SERIAL = re.compile(
    r"(?i)(?:serial|\bs/?n|imei|iccid|barcode|batch|order|invoice|part|product|model|version|build|revision|tracking"
    r"|device|asset|plate|etag|hash|checksum)[ _-]?(?:no|number|num|id|code|sn)?[\s\"'\\:=#>.&;quot-]{0,12}$"
)
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"PK\x03\x04", b"RIFF", b"\x7fELF", b"\x00\x00\x01\x00")
_BASIC = re.compile(r"(?i)\bbasic\s{1,8}([A-Za-z0-9+/=_-]{4,}+)")
_BEARER = re.compile(r"(?i)\bbearer\s{1,8}(?=\S{0,400}\d)([\w.~+/=-]{12,}+)")
# A name with letters of a secret in it; what it means is asked of its end, without borders and in small letters.
_NAME = re.compile(r"(?<![\w.])[^\W\d][\w.:\u0300-\u036f-]{1,79}+|(?<![\w.])[.][\w.:-]{1,79}+")
_WORDS = (
    "pass", "pwd", "secret", "token", "key", "code", "auth", "credential", "cookie", "signature", "sk", "data",
    "message", "kube", "plain", "string", "otp", "captcha", "saml", "mnemonic", "jwt", "phrase", "verifier", "docker",
    "pkcs8", "pw",
)  # fmt: skip
_HINT = re.compile("|".join(_WORDS))
_LABELS = re.compile(
    r"(?:密码|口令|密钥|私钥|令牌|凭[据证]|验证码|密碼|密鑰|金鑰|私鑰|憑證|驗證碼|пароль)(?:SK|值|明文|\d)?$"
)
_QUALIFIER = re.compile(
    r"(?:values?|val|str|string|binary|blob|text|content|material|base64|b64|hex|raw|encoded|encrypted|enc|hash|plain"
    r"|confirm(?:ation|ed)?|again|repeat(?:ed)?|retype|new|old|current|original|default|temp(?:orary)?|prod|env|input"
    r"|header|field|param|pem|der|base|seal|(?<=key)data|(?<=token)data|(?<=secret)data|(?<=password)data|\d+)$"
)
_MARKS = re.compile(
    r"(?:password|passwort(?:er)?|kennwort|contrasena|senha|motdepasse|passwd|passphrase|passcode|passkey|pwd|secret|secretaccess|token|psk|credential|keytab|kubeconf(?:ig)?"
    r"|signature|cookie|authorization|(?:secret|private|api|app|shared|signing|signature|sign|master|client|session|auth"
    r"|authentication|encryption|encrypt|decryption|account|storage|tls|ssl|ssh|rsa|hmac|aes|license|pre|preshared|data"
    r"|webhook|admin|root|deploy|service|subscription|primary|secondary|wrapping|cipher|dek|plaintext|(?:secret|shared|storage|account|primary|secondary)access)key"
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
    r"|cursor|max|min|total|prompt|completion|input|output|cached|reasoning|used|num|per|stop|eos|bos|pad|unk"
    r"|special|fromid|client|^http|metadatahttp)tokens?$|pullsecrets?$|(?:foreign|public|primary|gnupg|tag|object)keys?$|aksk$"
    r"|ciphertext$|(?:content|function|method|supported)signature$|^authorizationmessages$"
)
# Quotes, escapes, entities and signs between a name and its value.
_QUOTES = r"""\\{0,8}["'`]?(?:&quot;|&#\d{2};|\\u002[27])?"""
_BETWEEN = re.compile(
    r"(?:[(（][^()（）\r\n]{1,16}[)）])?"
    + _QUOTES
    + r"\]?[ \t]{0,8}(?:=>|:=|[:=：＝]|[是为為]：?|>|[ ](?:is|are|was)[ ]{0,2}:?)\s{0,8}(?:[bur](?=[\"']))?\[?"
    + _QUOTES
    + r"(?:<!\[CDATA\[)?"
)
_PAIRED = re.compile(r"""["'][\s,]{1,8}["']?value["']?\s{0,4}[:=]\s{0,4}["']""")
_VALUE = re.compile(r"""[^\s"'<>&\\,;|`]{3,400}""")
_SMALL = frozenset(
    ["the", "a", "of", "must", "be", "is", "for", "to", "in", "and", "or", "not", "your", "than", "with"]
)
_ABOUT = frozenset(["password", "passwords", "token", "secret", "key", "code", "credential", "credentials"])
_PARTS = re.compile(r"[:./\[\]]+")
_SCHEMES = frozenset(["basic", "bearer", "digest", "negotiate"])
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_TEMPLATE = re.compile(r"\$\{|\$ref|(?:bool(?:ean)?|int(?:eger)?|number|object|array|any)$")
_NUMERIC = re.compile(r"(?i)pass|pwd|code|pin|otp")
_HAN = re.compile("[\u4e00-\u9fff]")
_SENTENCE_END = re.compile(r"[\"<\n\\]")
_CALL = re.compile(r"[a-z][a-z0-9]{0,40}[_.][\w.]{1,60}[(\[]")  # `token = get_token(user)`
_REFERENCE = re.compile(
    r"\$?(?:var|local|data|module|each|self|this|config|settings|secrets|env|vars|process|os|args|options|params|request|ctx"
    r"|context|credentials|user|account|random_[a-z]+|huaweicloud_[a-z_]+|aws_[a-z_]+)\.[A-Za-z_][\w.\[\]]{0,80}"
)
_FIREWALL = re.compile(  # cookies that web firewalls and load balancers set by themselves: not used to log in
    r"(?i)(?:[a-z]{0,10}_?)?waf(?:_?(?:ses(?:sion)?|sess)?(?:id|time)?|[_-][\w-]{1,40})?|__cf_?\w{2,20}|cf_clearance|_cfuvid"
    r"|acw_(?:tc|sc)\w{0,20}|aliyungf_tc|BIGipServer[^=]*|TS[0-9a-f]{6,}|incap_ses_[\w-]+|visid_incap_[\w-]+|nlbi_[\w-]+"
    r"|(?:AWSALB|AWSELB|ARRAffinity)\w*|GCLB|ak_bmsc|bm_(?:sv|sz|mi|so|s)|_abck|__ddg\w{1,4}_?|datadome|sucuri_\w+|NSC_[\w.-]+"
    r"|citrix_ns_id\w*|(?:HW|ELB)?(?:ELB|SERVERID)|reese84|___utmv[a-z]\w*"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{32}")
_SECRET_HEADER = re.compile(r"(?i)token|authorization|cookie|signature|secret|credential|api-?key|password")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}+={0,2}")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});")
_ESCAPED = re.compile(r"\\(u[0-9A-Fa-f]{4}|[\"'\\/nrt])")


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """What looks like a secret, where it stands, how it is wrapped; `shown` gives no more than two letters away."""

    kind: str
    place: str
    shown: str
    wrapped: tuple[str, ...] = ()
    value: str = field(default="", repr=False, compare=False)  # never shown

    def __str__(self) -> str:
        how = f", {' inside '.join(self.wrapped)}" if self.wrapped else ""
        return f"{self.place}: {self.kind} ({self.shown}{how})"


def suspicions(text: str, place: str, known: Collection[str] = ()) -> list[Suspicion]:
    """What in this text looks like a secret, with the place as given; each thing once."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for wrapped, layer in _layers(text, ()):
        last = next(_whole(layer), None) is None  # names and quotes are readable, which show what letters are for
        for kind, value in _hits(layer, known, last):
            found.setdefault(value, (kind, wrapped))
    apart = _apart(found)
    return [
        Suspicion(kind=kind, place=place, shown=shown(value), wrapped=wrapped, value=value)
        for value, (kind, wrapped) in found.items()
        if kind != _RANDOM or value not in apart
    ]


def _apart(found: Mapping[str, tuple[str, tuple[str, ...]]]) -> set[str]:
    """Random texts that are reported as something better already, or by a longer one."""
    random = {value for value, (kind, _) in found.items() if kind == _RANDOM}
    if not random or len(found) == 1:
        return set()
    starts: dict[str, list[str]] = {}
    for value in found:
        if len(value) >= _GRAM:
            starts.setdefault(value[:_GRAM], []).append(value)
    told = set()
    for outer in found:
        for at in range(len(outer) - _GRAM + 1):
            for inner in starts.get(outer[at : at + _GRAM], ()):
                if inner is not outer and outer.startswith(inner, at):
                    told.add(inner if inner in random else outer)
    return told & random


def in_headers(
    headers: Mapping[str, str], place: str, known: Collection[str] = (), *, places: Mapping[str, str] = PLACES
) -> list[Suspicion]:
    """What in these headers looks like a secret."""
    found: list[Suspicion] = []
    for name, value in headers.items():
        here = places["at-header"].format(place=place, name=name)
        if firewall_cookies(name, value) or (name.lower().endswith("client-token") and _UUID.fullmatch(value)):
            continue
        if _SECRET_HEADER.search(name) and len(value) > 2 and not _is_clean(value):
            found.append(Suspicion(kind="a secret header", place=here, shown=shown(value), value=value))
        else:
            found += suspicions(value, here, known)
    return found


def in_body(
    body: bytes, place: str, known: Collection[str] = (), depth: int = 0, *, places: Mapping[str, str] = PLACES
) -> list[Suspicion]:
    """What in this body looks like a secret; in JSON the place is the path of the member, in an archive its file."""
    if depth < _LAYERS and (files := _files_in(body)) is not None:
        named = ((places["at-file"].format(place=place, name=name), inner) for name, inner in files)
        return [one for here, inner in named for one in in_body(inner, here, known, depth + 1, places=places)]
    text = _text_of(body)
    if text is None:
        found = body.decode("latin-1")
        return suspicions(found, place, known) if _any_shape(found, known) else []
    whole = suspicions(text, place, known)
    if not whole:
        return []
    try:
        members = [(f"{place} {path}", words) for path, words in _members(json.loads(text), "$")]
    except (ValueError, RecursionError):
        members = [
            (places["at-line"].format(place=place, number=number), line)
            for number, line in enumerate(text.splitlines(), 1)
        ]
    if len(members) == 1:
        return [replace(one, place=members[0][0]) for one in whole]
    precise = [one for where, words in members for one in suspicions(words, where, known)]
    return [*precise, *_elsewhere(whole, precise)]


def _elsewhere(whole: list[Suspicion], precise: list[Suspicion]) -> list[Suspicion]:
    """What is found in a text, but in none of its parts."""
    values = {one.value for one in precise}
    left = [one for one in whole if one.value not in values]
    if len(left) > _MOST_COMPARED:
        return left
    together = "\n".join(values) if left else ""
    return [one for one in left if one.value not in together and not any(value in one.value for value in values)]


def _files_in(raw: bytes) -> list[tuple[str, bytes]] | None:
    """The files of a zip or tar archive, as far as they can be read; None for anything else."""
    found: list[tuple[str, bytes]] = []
    try:
        if raw.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(raw)) as packed:
                for info in packed.infolist():
                    if not info.is_dir() and info.file_size <= _LARGEST_FILE:
                        found.append((info.filename, packed.read(info)))
        elif raw.startswith(b"\x1f\x8b") or raw[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
                for member in tar:
                    if member.isfile() and member.size <= _LARGEST_FILE and (opened := tar.extractfile(member)):
                        found.append((member.name, opened.read()))
        else:
            return None
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, zlib.error, ValueError, RuntimeError):
        return found or None  # no archive, or encrypted, or cut off
    return found


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
    elif "&" in text and (inner := _ENTITY.sub(_unescaped_entity, text)) != text:
        yield "HTML-escaped", inner


def _runs(text: str) -> Iterator[tuple[str, str]]:
    for run in set(_RUN.findall(text)):
        for part in {run, *run.split("/")} if "/" in run else (run,):
            if len(part) >= 12 and (inner := _decoded(part)) is not None:
                yield inner


@lru_cache(maxsize=1024)
def _character(entity: str) -> str:
    return html.unescape(entity)


def _unescaped_entity(match: re.Match[str]) -> str:
    return _character(match[0])


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if code[0] == "u" else {"n": "\n", "r": "\r", "t": "\t"}.get(code, code)


_SPACES = dict.fromkeys(map(ord, "\r\n\t"))


def _decoded(run: str) -> tuple[str, str] | None:
    if _HEX.fullmatch(run):
        text = _text_of(bytes.fromhex(run))
        return ("in hex", text) if text and text.isprintable() else None
    bare = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        text = _text_of(base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None
    if not text or not (text.isprintable() or text.translate(_SPACES).isprintable()):
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
    lower = text.lower()
    for kind in dict.fromkeys([kind for word, kind in _SHAPE_WORDS if word in lower]):
        yield from ((kind, match[0]) for match in _SHAPES[kind][1].finditer(text) if "***" not in match[0])
    yield from (("an IAM token", match[0]) for match in _IAM.finditer(text) if not _is_public(match[0]))
    for match in _AK.finditer(text):
        if not _is_serial(text, match.start()):
            yield "an access key (AK)", match[0]
    for match in _SECRET_KEY.finditer(text) if last else ():
        if (
            _kinds(match[0]) == 3
            and _entropy(match[0]) > 4.0
            and _decoded(match[0]) is None
            and not _is_benign(text, match)
        ):
            yield "a secret key (SK)", match[0]
    if _tells(lower):
        yield from _named(text)
    if "basic" in lower or "bearer" in lower:
        yield from _credentials(text)
    if last:
        yield from _disorder(text)


def _is_serial(text: str, start: int) -> bool:
    """Whether what stands in front marks twenty capitals and digits as a number of something."""
    before = text[max(0, start - 40) : start].lower()
    return any(word in before for word in _SERIAL_WORDS) and _SERIAL.search(before) is not None


def _known_in(text: str, known: Collection[str]) -> Iterator[str]:
    grams = {text[at : at + 4] for at in range(len(text) - 3)} if len(known) > 64 else None
    yield from (one for one in known if (grams is None or one[:4] in grams) and one in text)


def _is_public(run: str) -> bool:
    """Whether DER in base64 is a certificate or a public key: its first member is a sequence."""
    try:
        return base64.b64decode(run[:8].replace("-", "+").replace("_", "/"))[4:5] == b"0"
    except (binascii.Error, ValueError):
        return False


def _tells(lower: str) -> bool:
    """Whether a text, in small letters, has letters of any telling name."""
    return not lower.isascii() or _HINT.search(lower) is not None


def _named(text: str) -> Iterator[tuple[str, str]]:
    """Values behind names that end like those of secrets, whatever quotes and signs stand between."""
    for found in _NAME.finditer(text):
        for end in _marked_ends(found[0]):
            name, value = found[0][:end], _value_after(text, found.start(), found.start() + end)
            if name == "auth" and not (value and ":" in (_decoded(value) or ("", ""))[1]):
                continue
            if value is not None and not _is_clean(value):
                yield f"a value named {name}", value
                break


@lru_cache(maxsize=8192)
def _marked_ends(whole: str) -> tuple[int, ...]:
    """Where in a run of letters, dots and colons the name of a secret ends."""
    if whole.isascii() and not _HINT.search(whole.lower()):
        return ()
    ends = {len(whole.rstrip(".-:"))} | ({whole.index(":")} if ":" in whole else set())
    return tuple(end for end in sorted(ends) if whole[:end] == "auth" or marks(whole[:end]))


def _is_clean(value: str) -> bool:
    """Whether a value is none: a mask, a placeholder, an invented key."""
    lower = value.lower()
    return "***" in value or "hwctest" in lower or "redacted" in lower or _CLEAN_START.match(value[:400]) is not None


def _value_after(text: str, start: int, end: int) -> str | None:
    between = _PAIRED.match(text, end) or _BETWEEN.match(text, end)
    if between is None and not (text[max(0, start - 2) : start] == "--" and text[end : end + 1] == " "):
        return None
    at = between.end() if between else end + 1
    found = _VALUE.match(text, at)
    if found is None:
        return None
    quoted = text[at - 1] in "\"'`>;=" and text[at - 1 : at] != " "
    value = found[0]
    if value.lower() in _SCHEMES:
        return None  # what follows is looked at by itself
    if value[0] == "%" and _ESCAPES.fullmatch(value):
        return None  # quotes and blanks: the layer below shows what is between them
    if _TEMPLATE.match(value) or value[-1] == ":":
        return None
    if value.isdigit() and len(value) < 10 and not _NUMERIC.search(text, start, end):
        return None
    if not quoted and (_REFERENCE.fullmatch(value) or text[start:end] == text[start:end].lower() == value.lower()):
        return None
    if not value.isascii() and len(_HAN.findall(value)) >= 2:
        return None
    word, following = value.rstrip(".,!?:"), text[found.end() : found.end() + 1]
    if not quoted and word.isalpha() and word.islower() and (following in (" ", ",", ";", ")") or word != value):
        return None  # "Bad password: too short"
    if not quoted and _CALL.match(text, at):
        return None
    if text[found.end() : found.end() + 1] != " ":
        return value  # one word is no sentence
    words = _SENTENCE_END.split(text[at : at + 400], maxsplit=1)[0].lower().split()
    if (
        len(words) >= 2
        and all(word.strip(".,;:!?'").isalpha() for word in words)
        and not _ABOUT.isdisjoint(word.strip(".,;:!?") for word in words)
    ):
        return None  # "Forgot your password?"
    if len(words) >= 4 and sum(word.strip(".,;:") in _SMALL for word in words) >= 2:
        return None  # "the name of the secret"
    return value


def marks(name: str) -> bool:
    """Whether a name ends like the name of a secret."""
    if not name.isascii():
        if _LABELS.search(name):
            return True
        name = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    parts = [part for part in _PARTS.split(name) if part and not part.isdigit()]
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
        if inner and ":" in inner[1] and not _is_clean(inner[1]):
            yield "credentials of basic auth", match[1]
    for match in _BEARER.finditer(text):
        if not _is_clean(match[1]):
            yield "a bearer token", match[1]


def _disorder(text: str) -> Iterator[tuple[str, str]]:
    wrapped = [block.span() for block in _WRAPPED_LINES.finditer(text) if len(block[0]) > _LONGEST_RANDOM]
    for match in _DISORDER.finditer(text):
        run = match[0]
        while wrapped and wrapped[0][1] <= match.start():
            wrapped.pop(0)
        if wrapped and wrapped[0][0] <= match.start():
            continue
        if len(run) > _LONGEST_RANDOM or run.count("/") >= 3 or _kinds(run) < 3 or _entropy(run) <= 4.6:
            continue
        if not _is_benign(text, match) and _decoded(run) is None:
            yield _RANDOM, run


def _is_benign(text: str, match: re.Match[str]) -> bool:
    """Whether letters without order have a reason: their name, the file that they are, the path of a URL."""
    start = match.start()
    before = text[max(0, start - 300) : start]
    named = len(before) < 27 or not before[-27:-2].isalnum()  # so long a word is no name
    if (named and _BENIGN.search(before, max(0, len(before) - 48))) or _is_public(match[0]):
        return True
    address = before[max(map(before.rfind, " \n\r\t\"'<>")) + 1 :]
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
    patterns = (*(pattern for _, pattern in _SHAPES.values()), _IAM, _AK)
    return any(pattern.search(text) for pattern in patterns) or next(_known_in(text, known), None) is not None


def firewall_cookies(name: str, value: str) -> int:
    """How many cookies a header holds, if web firewalls and load balancers set all of them; else 0."""
    if name.lower() == "set-cookie":
        pairs = [line.partition(";")[0].strip() for line in set_cookies(value)]
    elif name.lower() == "cookie":
        pairs = [pair.strip() for pair in value.split(";") if pair.strip()]
    else:
        return 0
    return len(pairs) if all(is_firewall_cookie(pair.partition("=")[0]) for pair in pairs) else 0


def set_cookies(value: str) -> list[str]:
    """The cookies of `Set-Cookie` headers that were joined with commas; one in a date does not divide."""
    return re.split(r",(?=\s{0,8}[^;,\s=]{1,80}=)", value)


def is_firewall_cookie(name: str) -> bool:
    """Whether a cookie of this name is one that a web firewall or a load balancer sets by itself."""
    return _FIREWALL.fullmatch(name.strip()) is not None


_KINDS = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]")))


def _kinds(text: str) -> int:
    return sum(pattern.search(text) is not None for pattern in _KINDS)


def _entropy(text: str) -> float:
    """Bits a character."""
    length = len(text)
    return math.log2(length) - sum([n * math.log2(n) for n in Counter(text).values()]) / length


def shown(value: str) -> str:
    """A secret as it may be shown: two letters and its length."""
    return f"{value[:2]}…, {len(value)} characters" if len(value) > 8 else f"{len(value)} characters"
