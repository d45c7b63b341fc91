"""Secrets that give themselves away wherever they stand: keys, tokens, credentials in URLs and commands, webhooks.

Every expression is bounded or possessive, so that a text is read in linear time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from urllib.parse import unquote, unquote_plus

from pytest_hwcloud.secrets import notations
from pytest_hwcloud.secrets.encodings import MASK
from pytest_hwcloud.secrets.field_names import (
    SECRET,
    bare,
    hides,
    is_password,
    is_plural,
    is_trivial,
    kind_of,
    word_set,
)
from pytest_hwcloud.secrets.notations import Learner

__all__ = ["ACCESS_KEY", "INVENTED", "Learner", "apply", "invented_access_key"]

INVENTED = "HWCTEST"  # what every access key of ours begins with

_PRIVATE = re.compile(r"-----BEGIN[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d:")
_DER = re.compile(r"(?<![A-Za-z0-9+/_-])(?<!-----\n)(?<!-----\r\n)(?<!-----\\n)MII[A-Za-z0-9+/_-]{60,}+={0,2}")
_TOKENS = re.compile(
    r"(?<![\w-])(?:gAAAA[\w-]{40,}+={0,2}"  # keystone
    r"|eyJ[\w-]{6,}+\.[\w-]{6,}+(?:\.[\w-]*+)+"  # web tokens, signed or encrypted
    r"|(?:gh[opsur]_|github_pat_|glpat-|gldt-|npm_|pypi-AgE|dop_v1_|hvs\.|hvb\.|whsec_|shpat_|AGE-SECRET-KEY-1)[\w-]{16,}+"
    r"|xox[abeoprs]-[\w-]{10,}+|SG\.[\w-]{16,}+\.[\w-]{16,}+|AIza[\w-]{35}|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}+"
    r"|sk-(?=[A-Za-z-]{0,40}+\d)[\w-]{24,}+)"
)
_CRYPT = re.compile(
    r"(?<![\w$])\$(?:1|2[abxy]|5|6|7|y|apr1|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]{0,20})\$[\w./$=,+-]{20,300}"
)
_BASIC = re.compile(r"(?i)\b(Basic\s{1,8})([A-Za-z0-9+/_-]{4,}+={0,2})")
_BEARER = re.compile(r"(?i)\b(Bearer\s{1,8})([\w.~+/-]{12,}+=*+)")
_SIGNATURE = re.compile(r"(?i)(Signature=)[0-9a-f]{40,}+")
_HOOK = re.compile(
    r"(?i)(?:/(?:hooks?|webhooks?|webhookb2|incomingwebhook|bot|robot|services)/(?:[\w.@-]{1,80}/){0,4}?|/bot(?=\d{5,15}:))"
    r"(?=[\w:.@-]{0,80}?\d)([A-Za-z0-9_:.@-]{16,200})(?![\w:.@-])"
)
_HOOK_KEY = re.compile(
    r"(?i)(/(?:hooks?|webhooks?|robot)/[\w/.-]{0,80}\?(?:[\w-]{1,30}=[^&\s\"'<>]{0,80}&){0,4}key=)([\w-]{16,200})"
)
# A step of a path behind one that names it: …/reset-password/TOKEN. Names and ids stand there, too.
_STEP = re.compile(r"/([A-Za-z][\w-]{1,40})(?=/([\w.~%+=:@!$-]{6,400})(?:[/?#\s\"'<>&\\;,)]|$))")
_STEPS = word_set("""
    invite invites invitation invitations activate activation activations reset resets verify verification confirm
    confirmation magiclink unsubscribe passwordreset resetpassword setpassword otp jwt session sessions signin
""")
_BASE64_BEFORE = re.compile(r"[A-Za-z0-9+/\r\n]*\Z")
_BASE64_AFTER = re.compile(r"[A-Za-z0-9+/\r\n]*")
_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{1,36}|\d+")
_SLACK = re.compile(r"(?i)(hooks\.slack\.com/(?:services|workflows|triggers)/)([\w/-]{8,200})")
ACCESS_KEY = re.compile(r"(?<![A-Za-z0-9])(?=[A-Z]{0,19}\d)(?=\d{0,19}[A-Z])[A-Z0-9]{20}(?![A-Za-z0-9])")
_SERIAL_WORDS = (
    "serial", "sn", "s/n", "imei", "iccid", "barcode", "batch", "order", "invoice", "part", "product", "model",
    "version", "build", "revision", "tracking", "device", "asset", "plate", "etag", "hash", "checksum",
)  # fmt: skip
# What a text of twenty capitals and digits is where it is called so.
_SERIAL = re.compile(
    r"(?i)(?:serial|\bs/?n|imei|iccid|barcode|batch|order|invoice|part|product|model|version|build|revision|tracking|"
    r"device|asset|licen[cs]e[ _-]?plate|etag|hash|checksum)[ _-]?(?:no|number|num|id|code|sn)?"
    r"[\s\"'\\:=#>.&;quot-]{0,12}$"
)
_ESCAPED_QUOTE = r"\\{0,3}[\"']?"
_ARGUMENT = r"(?P<v>[^\s\"'\\]{1,200})"


def _option(programs: str, flags: str, value: str, verb: str = "") -> str:
    """An option of a program, on its line. From one name of a program only to the next: so each letter is read once."""
    between = rf"(?:(?!\b(?:{programs})\s)[^\r\n]){{0,200}}?"
    verb = rf"\b{verb}\b{between}" if verb else ""
    return rf"\b(?:{programs})\b(?=[\s.]){between}{verb}\s(?:{flags}){value}"


# Words (in small letters) of which one is in every text of the kind, and the kind: v is the secret.
_COMMANDS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (words, re.compile(pattern))
    for words, pattern in (
        (
            ("identified",),
            r"(?i)\bIDENTIFIED\s{1,4}(?:WITH\s{1,4}\S{1,40}\s{1,4})?(?:BY|AS)\s{1,4}(?:PASSWORD\s{1,4})?\\{0,3}['\"](?P<v>[^'\"\r\n\\]{1,200})",
        ),
        (
            ("curl", "wget", "http ", "https ", "xh "),
            "(?i)"
            + _option(
                "curl|wget|https?|xh",
                r"(?:-u|--user|--proxy-user|-U|-a|--auth)[\s=]{0,4}",
                _ESCAPED_QUOTE + r"(?P<u>[^\s:\"'\\]{1,100}):(?P<v>[^\s\"'\\]{1,200})",
            ),
        ),
        (
            ("chpasswd",),
            r"(?i)\becho\s{1,4}(?:-\w{1,2}\s{1,4})?\\{0,3}[\"']?(?P<u>[\w.-]{1,64}):(?P<v>[^\"'\r\n|\\]{1,200}?)\\{0,3}[\"']?\s{0,4}\|\s{0,4}(?:sudo\s{1,4})?(?:/usr/sbin/)?chpasswd",
        ),
        (
            ("chpasswd",),
            r"(?i)\bchpasswd\b[^\r\n]{0,40}<<<\s{0,4}\\{0,3}[\"']?(?P<u>[\w.-]{1,64}):(?P<v>[^\"'\r\n|\\]{1,200})",
        ),
        (
            ("--stdin", "login", "| su", "|su", "cryptsetup", "--password-file"),
            r"(?i)\becho\s{1,4}(?:-\w{1,2}\s{1,4})?\\{0,3}[\"']?(?P<v>[^\s\"'|\\]{1,200})\\{0,3}[\"']?\s{0,4}\|\s{0,4}(?:sudo\s{1,4})?(?:passwd\b[^\r\n]{0,40}--stdin|(?:docker|podman|helm|crane|oras)\s{1,4}[^\r\n]{0,20}login|su\b|cryptsetup)",
        ),
        (
            ("oracle:",),
            r"(?i)\boracle:(?:thin|oci8?):(?P<u>[\w$#]{1,60})/(?P<v>[^@\s\"'\\]{1,200})@",
        ),
        (
            ("sqlplus",),
            r"(?i)\bsqlplus\s{1,4}(?:-\w{1,4}\s{1,4}){0,3}(?P<u>[\w$#]{1,60})/(?P<v>[^@\s\"'\\]{1,200})@",
        ),
        (
            ("sshpass",),
            r"\bsshpass\s{1,4}-p\s{0,4}\\{0,3}[\"']?" + _ARGUMENT,
        ),
        (
            ("mysql", "mariadb", "mongo"),
            _option(
                "mysql|mysqldump|mysqladmin|mariadb|mongosh?|mongodump",
                r"-p[\"']?",
                r"(?P<v>[^\s\"'\\-][^\s\"'\\]{0,200})",
            ),
        ),
        (("redis-cli",), _option("redis-cli", r"-a\s{1,4}[\"']?", _ARGUMENT)),
        (("login",), _option("docker|podman|nerdctl|helm|skopeo|crane|oras", r"-p\s{1,4}[\"']?", _ARGUMENT, "login")),
        (("usermod", "useradd"), _option("usermod|useradd", r"-p\s{1,4}[\"']?", _ARGUMENT)),
        (
            ("net ",),
            r"(?i)\bnet\s{1,4}user\s{1,4}\S{1,60}\s{1,4}(?P<v>[^\s/*\"'\\][^\s\"'\\]{0,100})",
        ),
        (
            ("securestring",),
            r"(?i)\bConvertTo-SecureString\s{1,4}(?:-String\s{1,4})?[\"'](?P<v>[^\"'\r\n\\]{1,200})",
        ),
        (
            ("pass:",),
            r"(?<![\w:])pass:" + _ARGUMENT,
        ),
        (
            ("zip", "7z", "vault", "smbclient", "ldap", "htpasswd"),
            _option(
                "zip|unzip|7z|7za|ansible-vault|smbclient|ldapsearch|ldapmodify|htpasswd",
                r"-(?:P|w|p)\s{0,2}[\"']?",
                r"(?P<v>[^\s\"'\\-][^\s\"'\\]{0,100})",
            ),
        ),
        (
            (":*:", ":1", ":2", ":3", ":4", ":5", ":6", ":7", ":8", ":9"),
            r"(?m)^(?P<u>[\w.*-]{1,100}:(?:\d{2,5}|\*):[\w*.-]{1,60}:[\w*.-]{1,60}):(?P<v>[^\s:]{1,200})$",
        ),
        (
            ("machine",),
            r"(?i)\bmachine\s{1,4}\S{1,100}\s{1,8}login\s{1,4}\S{1,100}\s{1,8}password\s{1,4}(?P<v>\S{1,200})",
        ),
        (
            ("requirepass", "masterauth", "auth_pass", "auth-pass"),
            r"(?i)(?<![\w.-])(?:requirepass|masterauth|auth_pass|auth-pass)\s{1,8}\\{0,3}[\"']?" + _ARGUMENT,
        ),
    )
)
_CHPASSWD_LIST = re.compile(
    r"(?m)^[ \t]{0,40}(?:-[ ])?(?P<u>[a-z_][\w.-]{0,31}):(?P<v>[^\s:|\"'][^\s|\"']{2,200})[ \t]*\r?$"
)
_K8S_SECRET = re.compile(r"(?m)^kind:[ ]{0,4}[\"']?Secret\b")
_K8S_DATA = re.compile(r"(?m)^([ ]{0,20})(?:data|stringData):[ \t]*\r?\n")
_K8S_ROW = re.compile(r"(?m)^([ ]{1,40})[\w.\"'-]{1,100}+:[ ]{1,4}+(?P<v>[^\r\n]{1,8192}+)\r?(?:\n|\Z)")
_TESTS = (str.islower, str.isupper, str.isdigit, str.isalnum)
_SYMBOL = re.compile(r"[^\w.~ -]")
_DISORDER = 0.34  # changes between small letters, capitals and digits a letter: fewer are in names that people choose
_DER_PUBLIC = 0x30  # a certificate, a request for one, a public key: the first member is a sequence


def invented_access_key(real: str) -> str:
    """A stand-in for an access key that no identity of the run has: the same for the same key."""
    return INVENTED + hashlib.sha256(b"access-key:" + real.encode()).hexdigest()[:13].upper()


def apply(text: str, learner: Learner) -> str:
    """The text with every shape and every named secret masked; what was found is passed to the learner."""
    if "PRIVATE KEY" in text or "PuTTY-User-Key" in text:
        text = _private_keys(text, learner)
    lowered = text.lower()
    present = {index for word, index in _WORDS if word in lowered}
    for index in sorted(present):
        pattern, replace = _RULES[index]
        text = pattern.sub(partial(replace, learner=learner), text)
    if "://" in text:
        text = _user_infos(text, learner)
    if "/" in text:
        text = steps(text, learner)
    if "chpasswd" in lowered:
        text = _CHPASSWD_LIST.sub(partial(_value, learner=learner), text)
    if "kind:" in text and _K8S_SECRET.search(text):
        text = _kubernetes(text, learner)
    text = _table(text, learner)
    text = notations.mask(text, learner)
    if len(text) >= 20:
        for found in ACCESS_KEY.finditer(text):
            if not found[0].startswith(INVENTED) and not _is_serial(text, found.start()):
                learner.learn_access_key(found[0])
    return text


def _is_serial(text: str, start: int) -> bool:
    before = text[max(0, start - 40) : start].lower()
    return any(word in before for word in _SERIAL_WORDS) and _SERIAL.search(before) is not None


def _private_keys(text: str, learner: Learner) -> str:
    parts, at = [], 0
    while found := _PRIVATE.search(text, at):
        ending = "Private-MAC:" if found[0].startswith("PuTTY") else "-----END"
        stop = text.find(ending, found.end())
        if stop >= 0:
            close = text.find("-----", stop + len(ending))
            stop = close + 5 if ending == "-----END" and 0 <= close - stop < 60 else stop + len(ending)
        stop = len(text) if stop < 0 else stop
        learner.learn(text[found.start() : stop])
        parts += [text[at : found.start()], MASK]
        at = stop
    return "".join([*parts, text[at:]]) if parts else text


def _whole(match: re.Match[str], learner: Learner) -> str:
    learner.learn(match[0])
    return MASK


def _der(match: re.Match[str], learner: Learner) -> str:
    """A token or a private key; certificates and public keys begin with the same letters."""
    try:
        head = base64.b64decode(match[0][:8].replace("-", "+").replace("_", "/"))
    except (binascii.Error, ValueError):
        head = b""
    return match[0] if head[4:5] == bytes([_DER_PUBLIC]) else _whole(match, learner)


def _basic(match: re.Match[str], learner: Learner) -> str:
    try:
        raw = base64.b64decode(match[2] + "=" * (-len(match[2]) % 4), altchars=b"-_" if "-" in match[2] else None)
        _, colon, password = raw.decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return match[0]
    if not colon or MASK in password:
        return match[0]  # "Basic plan" is no credential
    learner.learn(password)
    return match[1] + MASK


def _bearer(match: re.Match[str], learner: Learner) -> str:
    if not any(letter.isdigit() for letter in match[2]):
        return match[0]  # "Bearer authentication"
    learner.learn(match[2])
    return match[1] + MASK


def _signed(match: re.Match[str], learner: Learner) -> str:
    return match[1] + MASK


def _last(match: re.Match[str], learner: Learner) -> str:
    """The last group is the secret."""
    group = match.re.groups
    secret = match[group]
    if is_trivial(secret) or not any(letter.isdigit() for letter in secret):
        return match[0]
    learner.learn(secret)
    return match[0][: match.start(group) - match.start()] + MASK


def steps(text: str, learner: Learner) -> str:
    """The text without the steps of paths that the step in front of them calls secret."""
    parts, at = [], 0
    for found in _STEP.finditer(text):
        value = unquote(found[2])
        if found.start(2) >= at and _is_secret_step(found[1], value) and not _is_in_base64(text, found.start()):
            learner.learn(value)
            parts += [text[at : found.start(2)], MASK]
            at = found.end(2)
    return "".join([*parts, text[at:]]) if parts else text


def _is_in_base64(text: str, slash: int) -> bool:
    """Whether a slash is one of a long base64 text, on one line or several, and not of a path."""
    before = _BASE64_BEFORE.search(text, max(0, slash - 160), slash)
    after = _BASE64_AFTER.match(text, slash, slash + 160)
    return len(before[0] if before else "") + len(after[0] if after else "") >= 120


def _is_secret_step(name: str, value: str) -> bool:
    """Whether a step of a path is what the one before it announces, and no id, name or file."""
    kind = kind_of(name)
    if (kind is None and bare(name) not in _STEPS) or is_trivial(value) or _ID.fullmatch(value) or _FILE.search(value):
        return False
    kinds = [next(n for n, test in enumerate(_TESTS) if test(letter)) for letter in value if letter.isalnum()]
    changes = sum(one != other for one, other in pairwise(kinds)) / len(value)
    random = 2 in kinds and len(set(kinds)) > 1 and changes > _DISORDER
    if kind == SECRET and is_password(name):
        return random or _SYMBOL.search(value) is not None
    if is_plural(name) and bare(name) in ("secrets", "credentials"):
        return False  # they have names and ids
    return random and len(value) >= (12 if len(set(kinds)) == 3 else 20)


def _value(match: re.Match[str], learner: Learner) -> str:
    value = match["v"]
    if is_trivial(value):
        return match[0]
    learner.learn(value)
    start = match.start("v") - match.start()
    return match[0][:start] + MASK + match[0][start + len(value) :]


_AUTHORITY = re.compile(r"[^\s\"'<>\\]{1,2048}")


def _user_infos(text: str, learner: Learner) -> str:
    """`scheme://user:password@`, `://:password@`, `://TOKEN@`; a password may hold what a URL must not."""
    parts, at, done = [], 0, 0
    while (found := text.find("://", at)) >= 0:
        at = found + 3
        following = text.find("://", at)
        whole = _AUTHORITY.match(text, at, len(text) if following < 0 else following)
        if whole is None or "@" not in whole[0]:
            continue
        span = whole[0]
        host = span.partition("/")[0].partition("?")[0].partition("#")[0]
        if "@" in host:
            info = host.rpartition("@")[0]
        elif ":" in host and not host.rpartition(":")[2].isdigit():
            info = span.rpartition("@")[0]
        else:
            continue
        user, colon, password = info.partition(":")
        secret = password if colon else user
        if not secret or is_trivial(secret) or is_trivial(info) or (not colon and not _is_token(user)):
            continue
        learner.learn(unquote_plus(secret))
        parts += [text[done:at], MASK]
        done = at = at + len(info)
    return "".join([*parts, text[done:]]) if parts else text


def _is_token(user: str) -> bool:
    digits, letters = any(map(str.isdigit, user)), any(map(str.isalpha, user))
    return len(user) >= 16 and digits and letters and re.fullmatch(r"[\w.~%+-]+", user, re.ASCII) is not None


def _kubernetes(text: str, learner: Learner) -> str:
    """The values under `data` and `stringData` of a Secret in YAML."""
    parts, at = [], 0
    for section in _K8S_DATA.finditer(text):
        here, margin = section.end(), len(section[1])
        while (row := _K8S_ROW.match(text, here)) and len(row[1]) > margin:
            value = row["v"].strip("\"'")
            start = row.start("v") + row["v"].find(value)
            if not is_trivial(value) and value not in ("|", ">", "|-") and start >= at:
                learner.learn(value)
                parts += [text[at:start], MASK]
                at = start + len(value)
            here = row.end()
    return "".join([*parts, text[at:]]) if parts else text


_BAR_CELL = re.compile(r"[ ]*+(?:(?P<q>(?!))|(?P<b>[^|\r\n]{0,2000}+))(?P<end>\||\r?\n|\r?\Z)")
_CELL = re.compile(
    r'[ \t]*+(?:"(?P<q>[^"\r\n]{0,2000}+)"|(?P<b>[^",;\t\r\n]{0,2000}+))[ ]*+(?P<end>[,;\t]|\r?\n|\r?\Z)'
)


def _table(text: str, learner: Learner) -> str:
    """A table of comma-separated values whose first line names a secret, as the console gives keys away."""
    head_end = text.find("\n", 0, 2000)
    head = text[: head_end + 1]
    if head_end < 0 or not any(mark in head for mark in ",;\t|") or any(mark in head for mark in "{}<>=:"):
        return text
    form = _BAR_CELL if head.startswith("|") else _CELL
    names = [(cell["q"] or cell["b"] or "").strip().lstrip("\ufeff") for cell in form.finditer(head)]
    second = text[head_end + 1 : text.find("\n", head_end + 1, head_end + 4000)]
    if len(names) != len(list(form.finditer(second + "\n"))) or sum(map(bool, names)) < 2:
        return text  # the first line is no head
    secret = [kind_of(name.replace(" ", "_")) is not None for name in names]
    if len(names) < 2 or not any(secret) or any(len(name) > 60 for name in names):
        return text
    parts, at, column = [], 0, 0
    for cell in form.finditer(text, head_end + 1):
        group = "q" if cell["q"] is not None else "b"
        if column < len(names) and secret[column]:
            value, name = (cell[group] or "").strip(), names[column].replace(" ", "_")
            if shape := ACCESS_KEY.fullmatch(value):
                learner.learn_access_key(shape[0])
            elif hides(name, value):
                learner.learn(value)
                start = cell.start(group) + cell[group].find(value)
                parts += [text[at:start], MASK]
                at = start + len(value)
        column = column + 1 if cell["end"] in (",", ";", "\t", "|") else 0
    return "".join([*parts, text[at:]]) if parts else text


_Rule = Callable[..., str]
_TOKEN_WORDS = (
    "gaaaa", "eyj", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "gldt-", "npm_", "pypi-",
    "dop_v1_", "hvs.", "hvb.", "whsec_", "shpat_", "age-secret", "xox", "sg.", "aiza", "k_live_", "k_test_", "sk-",
)  # fmt: skip
_HINTED: tuple[tuple[tuple[str, ...], re.Pattern[str], _Rule], ...] = (
    (("mii",), _DER, _der),
    (_TOKEN_WORDS, _TOKENS, _whole),
    (("$",), _CRYPT, _whole),
    (("basic",), _BASIC, _basic),
    (("bearer",), _BEARER, _bearer),
    (("signature=",), _SIGNATURE, _signed),
    (("hooks.slack.com",), _SLACK, _last),
    (("hook", "robot"), _HOOK_KEY, _last),
    (("hook", "/bot", "robot", "services/"), _HOOK, _last),
    *((words, pattern, _value) for words, pattern in _COMMANDS),
)
_RULES = tuple((pattern, rule) for _, pattern, rule in _HINTED)
# Words without which a rule cannot apply (a search costs a fiftieth of a pattern), and its number.
_WORDS = tuple((word, index) for index, (words, _, _) in enumerate(_HINTED) for word in words)
