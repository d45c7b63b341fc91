"""Which names mark a secret: of members, form fields, query parameters, XML elements, headers, variables and flags.

A rule, not a list. A name is taken apart into words (`OS-EXT-SRV-ATTR:user_data`, `rootPwd`, `DB_PASS`, `dbuserpwd`
alike); what a compound means stands at its end, so the end decides: `db_root_pwd` and `secret_value` are secrets,
`password_policy_name`, `token_count` and `secret_id` are not. tests/unit/data/secret_fields.tsv holds the verdict on
every text field of the SDKs whose name could be one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pytest_hwcloud.secrets.encodings import MASK

# Names of secrets in labels, as Chinese and Russian consoles have them.
LABELS = (
    "密码", "口令", "密钥", "私钥", "令牌", "凭据", "凭证", "验证码", "通行证",
    "密碼", "密鑰", "金鑰", "私鑰", "權杖", "憑證", "驗證碼",
    "пароль",
)  # fmt: skip
_AFTER_LABEL = re.compile(r"(?i)(?:sk|值|明文|\d|[(（][^()（）]{1,16}[)）])+$")
_ACCESS_LABELS = re.compile(r"(?i)(?:密钥|密鑰|金鑰)\s?(?:id|ak|[(（]ak[)）])$")
SECRET, WEAK, ACCESS_KEY = "secret", "weak", "access key"


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set that is quick to look up."""
    return frozenset(text.split())


def _endings(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(row.split()) for row in text.strip().splitlines())


# A name is a secret if, without the words of _TRAILING, it ends with one of these words …
_HEADS = word_set("""
    password passwd passphrase passcode passkey pwd pw passwort passworter kennwort contrasena senha
    secret token sk psk credential keytab kubeconfig signature cookie
    authorization apikey otp totp captcha mnemonic jwt plaintext userdata samlresponse samlassertion pkcs8
""")
# … or with a key or code of these kinds …
_KEYS = word_set("""
    secret private api app shared signing signature sign master client session auth authentication encryption encrypt
    decryption account storage tls ssl ssh rsa hmac aes license pre preshared data webhook admin root deploy service
    subscription primary secondary wrapping cipher dek plaintext
""")
_CODES = word_set("""
    access app auth authorization authentication verification verify security sms token invite invitation activation
    recovery backup otp totp mfa pin device confirm confirmation login captcha challenge
""")
# … or with one of these compounds.
_COMPOUNDS = _endings("""
    user data
    authorization message
    connection string
    conn string
    conn str
    key material
    kube config
    plain text
    saml response
    saml assertion
    code verifier
    string seed
    seed phrase
    recovery phrase
    mot de passe
    basic auth
    registry auth
    docker config
    dockerconfig
    dockerconfigjson
    pin code
    one time code
    secret access
""")
# Only a value that does not read as a word is a secret under these names.
_WEAK = word_set("auth sig sign")
# Names that only look so: what stands in front of a head and makes it something else.
_HARMLESS = _endings("""
    next token
    previous token
    prev token
    page token
    pagination token
    continuation token
    continue token
    sync token
    scroll token
    delta token
    resume token
    start token
    starting token
    end token
    marker token
    cursor token
    metadata http token
    max token
    min token
    total token
    prompt token
    completion token
    input token
    output token
    cached token
    reasoning token
    used token
    num token
    per token
    stop token
    eos token
    bos token
    pad token
    unk token
    special token
    pull secret
    from id token
    foreign key
    public key
    primary key
    gnupg key
    tag key
    object key
    ak sk
    cipher text
    cipher key
    content signature
    function signature
    method signature
    supported signature
""")
_CLIENT = ("client", "token")  # makes a call idempotent where it is a UUID; of Vault it is a login
# Words at the end that do not change what a name means.
_TRAILING = word_set("""
    value val string str binary blob text content material base64 b64 hex raw encoded encrypted enc hash plain
    confirm confirmation confirmed again repeat repeated retype new old current original default temp temporary
    prod env input header field param pem der base seal base64
""")
_DATA_OF = word_set("key secret token password credential pwd")
_ACCESS = _endings("""
    ak
    access key
    access key id
    access id
""")
_SECRET_ACCESS = _endings("""
    secret access key
    shared access key
    storage access key
    account access key
    primary access key
    secondary access key
""")
_NUMERIC = word_set("password passwd passphrase passcode pwd pass code pin otp totp captcha")
_INSIDE = frozenset({("token", "id"), ("subject token", "id"), ("totp", "passcode"), ("credential", "secret")})
# Written without a border between the words: `dbuserpwd`, `adminpass`, `secretaccesskey`.
_GLUED = re.compile(
    r"(?<=[a-z0-9])(password|passwd|passphrase|passcode|pwd|secret|token|credential|kubeconfig"
    r"|(?:(?:secret|private|api|app|access|signing|encryption|master|shared|session|auth|client|tls|ssl|ssh|data)key))s?$"
    r"|(?<=^admin)(pass)$|(?<=^user)(pass)$|(?<=^root)(pass)$|(?<=^db)(pass)$|(?<=^my)(pass)$|(?<=^login)(pass)$"
    r"|(?<=^new)(pass)$|(?<=^old)(pass)$|(?<=^ssh)(pass)$|(?<=^pg)(pass)$|(?<=^mysql)(pass)$|(?<=^redis)(pass)$"
)
_GLUED_ENDS = tuple(
    word + plural
    for word in ("password", "passwd", "phrase", "passcode", "pwd", "secret", "token", "credential", "kubeconfig",
                 "key", "pass")
    for plural in ("", "s")
)  # fmt: skip
_KEY_WORD = re.compile(
    r"(secret|private|api|app|access|signing|encryption|master|shared|session|auth|client|tls|ssl|ssh"
    r"|data)(?:(access)?)(key)"
)
_PART = re.compile(r"[:./\[\]]+")
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_PLAIN = re.compile(r"[^a-z0-9]")
_SPLIT = {
    "userdata": ("user", "data"), "accesskeyid": ("access", "key", "id"),
    "secretaccesskey": ("secret", "access", "key"),
    "accesskeysecret": ("access", "key", "secret"), "clientkeydata": ("client", "key", "data"),
    "osuserdata": ("user", "data"), "connectionstring": ("connection", "string"), "keymaterial": ("key", "material"),
    "secretaccess": ("secret", "access"), "verificationcode": ("verification", "code"), "authcode": ("auth", "code"),
    "appcode": ("app", "code"), "accesscode": ("access", "code"), "verifycode": ("verify", "code"),
    "authorizationcode": ("authorization", "code"), "codeverifier": ("code", "verifier"),
    "presharedkey": ("preshared", "key"), "awsaccesskeyid": ("access", "key", "id"), "accessid": ("access", "id"),
    "encodedauthorizationmessage": ("authorization", "message"), "stringseed": ("string", "seed"),
    "secretstring": ("secret",), "secretbinary": ("secret",), "secretvalue": ("secret",), "setcookie": ("cookie",),
    "plaintextkey": ("plaintext", "key"), "totpcode": ("totp", "code"), "nexttoken": ("next", "token"),
    "pagetoken": ("page", "token"), "oauth2": ("oauth",), "dockerconfigjson": ("docker", "config"),
    "proxyauthorization": ("authorization",), "passwordhash": ("password", "hash"),
}  # fmt: skip


@lru_cache(maxsize=4096)
def bare(name: str) -> str:
    """The name as it is compared: letters and digits, lower case."""
    return _PLAIN.sub("", name.lower())


def _folding() -> dict[int, str]:
    found = {ord("ß"): "s"}
    for code in (*range(0xC0, 0x250), *range(0xFF01, 0xFF5F)):
        plain = unicodedata.normalize("NFKD", chr(code))
        if plain[0].isascii() and all(map(unicodedata.combining, plain[1:])):
            found[code] = plain[0].lower()
    return found


_FOLDING = _folding()
_MARKS = re.compile("[\u0300-\u036f]")


def folded(text: str) -> tuple[str, list[int] | None]:
    """A text in small letters without accents and full-width forms; where each letter stood, if not in its place."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered, None
    if len(lowered) != len(text):  # of İ
        lowered = "".join(letter.lower()[:1] for letter in text)
    lowered = lowered.translate(_FOLDING)
    if not _MARKS.search(lowered):
        return lowered, None
    places = [at for at, letter in enumerate(lowered) if not "\u0300" <= letter <= "\u036f"]
    return _MARKS.sub("", lowered), places


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """The words of the last part of a name, in lower case and in the singular."""
    if not name.isascii():  # Pässword, Paßwort
        name = name.replace("ß", "ss")
        name = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    parts = [part for part in _PART.split(name) if part and not part.isdigit()]
    found: list[str] = []
    for match in _WORD.finditer(parts[-1] if parts else ""):
        word = match[0].lower()
        if word in _SPLIT:
            found += _SPLIT[word]
            continue
        glued = _GLUED.search(word) if word.endswith(_GLUED_ENDS) else None
        if glued is not None:
            start = next(glued.start(group) for group in range(1, glued.re.groups + 1) if glued[group])
            found.append(word[:start])
            word = word[start:]
        word = _singular(word)
        key = _KEY_WORD.fullmatch(word) if word.endswith("key") else None
        found += [part for part in key.groups() if part] if key else [word]
    while found and found[-1].isdigit() and len(found) > 1:
        found.pop()  # password2
    return tuple(found)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "pass", "alias")) else word


@lru_cache(maxsize=8192)
def kind_of(name: str, parent: str = "") -> str | None:
    """SECRET, WEAK (if the value reads as no word) or ACCESS_KEY; None for a name that marks nothing.

    parent: the name of the object that the member is in.
    """
    if len(name) > 200:
        return None
    if not name.isascii():
        label = _AFTER_LABEL.sub("", name.strip(" \t:：")).lower()
        if _ACCESS_LABELS.search(name.strip(" \t:：")):
            return ACCESS_KEY
        if label.endswith(LABELS):
            return SECRET
    words = words_of(name)
    if parent and (" ".join(words_of(parent)), " ".join(words)) in _INSIDE:
        return SECRET
    if not words:
        return None
    if words == ("access",) or (_ends(words, _ACCESS) and words[-3:] not in _SECRET_ACCESS):
        return ACCESS_KEY
    if _ends(words, _COMPOUNDS) or bare(name) == "tlskey":
        return SECRET
    while len(words) > 1 and (words[-1] in _TRAILING or (words[-1] == "data" and words[-2] in _DATA_OF)):
        words = words[:-1]
        if _ends(words, _COMPOUNDS):
            return SECRET
    if _ends(words, _HARMLESS) or words == ("http", "token"):  # of the metadata service: `optional`, `required`
        return None
    if words[-2:] == _CLIENT:
        return WEAK
    return _by_head(words)


def _by_head(words: tuple[str, ...]) -> str | None:
    head, before = words[-1], words[-2] if len(words) > 1 else ""
    if head in _HEADS:
        return SECRET
    if head == "pass":
        return SECRET if before else WEAK
    if (head == "key" and before in _KEYS) or (head == "code" and before in _CODES):
        return SECRET
    if words[-3:] in _SECRET_ACCESS:
        return SECRET
    return WEAK if head in _WEAK else None


def _ends(words: tuple[str, ...], endings: frozenset[tuple[str, ...]] | set[tuple[str, ...]]) -> bool:
    return words[-1:] in endings or words[-2:] in endings or words[-3:] in endings


def is_secret(name: str, parent: str = "") -> bool:
    """Whether a value under this name (inside the object named `parent`) is a secret; see `hides` for its value."""
    return kind_of(name, parent) in (SECRET, WEAK)


def is_access_key(name: str) -> bool:
    """Whether the value under this name is an access key id (AK)."""
    return kind_of(name) == ACCESS_KEY


def is_password(name: str) -> bool:
    """Whether a name is one of a password, whose value can be words."""
    lowered = name.lower()
    return any(word in lowered for word in ("pass", "pwd", "phrase"))


@lru_cache(maxsize=4096)
def is_plural(name: str) -> bool:
    """Whether a name stands for several secrets: its list or map holds nothing else."""
    last = [match[0].lower() for match in _WORD.finditer(name)][-1:]
    return bool(last) and last[0].endswith("s") and is_secret(name)


@lru_cache(maxsize=4096)
def is_numeric(name: str) -> bool:
    """Whether a number under this name is a secret: of a password and a code, not of a token count."""
    return not _NUMERIC.isdisjoint(words_of(name)) and is_secret(name)


# What a value under such a name can be without being a secret.
_TRIVIAL = re.compile(
    r"(?i)true|false|none|null|nil|undefined|yes|no|on|off|n/?a|enabled?|disabled?|optional|required"
    r"|string|password|secret|token|[-*.x?_ ]+|<[a-z][a-z _-]*>|\$\{[^{}]*\}|\$[a-z_]\w*|\{\{[^{}]*\}\}|%\(?\w*\)?s"
    r"|\$\{\{[^{}]*\}\}|bool(?:ean)?|int(?:eger)?|number|float|object|array|any|bytes|char|varchar"
    r"|str|u?int\d{0,2}|dict|double|long|secretstr|uuid|\d{1,3}"
    r"|[\[<(*]{0,3}(?:redacted|masked|hidden|filtered|removed|scrubbed|obfuscated|sanitized|censored)[\])>*]{0,3}"
)
_PUBLIC = (
    "ssh-rsa ",
    "ssh-ed25519 ",
    "ssh-dss ",
    "ecdsa-sha2-",
    "-----BEGIN CERT",
    "-----BEGIN PUBLIC",
    "arn:",
    "urn:",
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{32}")
_ORDINARY = re.compile(r"[A-Za-z]++(?:[ _.-][A-Za-z]++)*+")
_HAN = re.compile("[\u4e00-\u9fff]")
_ABOUT = re.compile(r"(?i)(?<![a-z])(?:passwords?|tokens?|secrets?|keys?|codes?|credentials?)(?![a-z])")
_STOP = word_set("""
    a an the of for to in on is are be was were must may can should shall will not no and or with without by from as at
    this that it its your you if when at least than more between only cannot does do has have
""")


def is_trivial(value: str) -> bool:
    """Whether a value is no information: empty, a truth value, a placeholder, a mask."""
    if not value or MASK in value:
        return True
    return len(value) <= 80 and _TRIVIAL.fullmatch(value.strip(" \t\r\n:：")) is not None


def is_prose(value: str) -> bool:
    """Whether a value is a sentence about a secret: it names one, or has four words, two of them like `the`."""
    if len(value) <= 400 and len(_HAN.findall(value)) >= 2:
        return True  # a password is not written in Chinese
    if len(value) > 400 or " " not in value:
        return False
    words = value.lower().split()
    if _ABOUT.search(value) and all(word.strip(".,;:!?'").isalpha() for word in words):
        return True  # "Forgot your password?"
    return len(words) >= 4 and sum(word.strip(".,;:!?") in _STOP for word in words) >= 2


def hides(name: str, value: str, parent: str = "") -> bool:
    """Whether this value under this name must not be written down."""
    kind = kind_of(name, parent)
    if kind not in (SECRET, WEAK) or is_trivial(value) or value.startswith(_PUBLIC) or is_prose(value):
        return False
    if kind == SECRET:
        return not (value.isdigit() and len(value) < 10) or is_numeric(name)  # `tokens: 1000` is a count
    return len(value) >= 8 and not _ORDINARY.fullmatch(value) and not _UUID.fullmatch(value)


# Headers worth keeping; all others are noise or secret. A trailing * stands for any ending.
_KEPT_OF_REQUESTS = word_set("""
    content-type x-project-id x-domain-id x-language x-enterprise-project-id enterprise-project-id accept
    if-match if-none-match if-modified-since range soapaction client-request-id x-obs-* x-amz-*
""")
# Of answers everything is kept but what differs from call to call and no program reads, what the length of the body
# restates, and what may be a secret.
_NOISE_OF_ANSWERS = word_set("""
    date connection keep-alive via age alt-svc nel report-to server-timing content-length x-cache x-cache-lookup
    strict-transport-security x-envoy-upstream-service-time x-powered-by
""")
_NEVER = (
    "token",
    "signature",
    "credential",
    "secret",
    "password",
    "authorization",
    "cookie",
    "content-sha256",
    "-date",
)
# Names behind which reports mask any long value, whoever made it: tokens, and the encoded message of a denial.
REPORTED = r"encoded_auth(?:orization)?_(?:message|msg)|x-(?:auth|subject|security)-token"
REQUEST_IDS = word_set("""
    x-request-id x-iam-trace-id x-obs-request-id x-obs-id-2 x-amz-request-id x-amz-id-2 x-openstack-request-id
    x-compute-request-id x-cff-request-id
""")


def _any_of(names: frozenset[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(name).replace(r"\*", ".*") for name in sorted(names)))


_KEPT = _any_of(_KEPT_OF_REQUESTS)


@lru_cache(maxsize=1024)
def is_kept(header: str, side: str) -> bool:
    """Whether a recording keeps this header of a "request" or an "answer"."""
    name = header.lower()
    if name in ("x-subject-token", "set-cookie"):
        return side == "answer"  # the value is masked, but code that logs in reads it
    if any(word in name for word in _NEVER):
        return False
    return name not in _NOISE_OF_ANSWERS if side == "answer" else _KEPT.fullmatch(name) is not None


def is_secret_header(header: str) -> bool:
    """Whether the value of this header is a secret, in cassettes that keep every header."""
    name = header.lower()
    return name not in ("x-sdk-date", "date") and (
        is_secret(name) or any(word in name for word in ("token", "signature", "secret", "authorization", "cookie"))
    )
