"""Which names mark a secret: of members, form fields, query parameters, XML elements and headers."""

from __future__ import annotations

import re
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Names with everything but letters and digits taken out, in lower case.
_SECRET = _words("""
    password passwd passphrase passcode pwd adminpass userpassword newpassword oldpassword originalpassword
    secret secretkey secretaccesskey secretaccess sk clientsecret appsecret appkey sharedsecret masterpassword
    securitytoken accesstoken refreshtoken idtoken sessiontoken authtoken bearertoken subjecttoken token
    xauthtoken xsubjecttoken xsecuritytoken xobssecuritytoken xamzsecuritytoken
    privatekey clientkeydata clientkey sshkey tlskey pkcs8 keymaterial plaintextkey datakey plaintext
    userdata osuserdata encodedauthorizationmessage authorization proxyauthorization cookie setcookie
    apikey xapikey credentials signature samlresponse samlassertion kubeconfig connectionstring
    secretstring secretbinary verificationcode verifycode captcha base32stringseed totpcode psk presharedkey
    dbpassword rootpassword authcode authorizationcode codeverifier encryptedpassword
""")
_ENDINGS = ("password", "passwd", "secret", "secretkey", "privatekey", "securitytoken", "accesstoken", "passphrase")
_ACCESS_KEYS = _words("access accesskey accesskeyid ak awsaccesskeyid accessid")
_INSIDE = frozenset({("token", "id"), ("totp", "passcode"), ("subjecttoken", "id"), ("credential", "secret")})
_PLAIN = re.compile(r"[^a-z0-9]")


@lru_cache(maxsize=4096)
def bare(name: str) -> str:
    """The name as it is compared: letters and digits, lower case."""
    return _PLAIN.sub("", name.lower())


@lru_cache(maxsize=4096)
def is_secret(name: str, parent: str = "") -> bool:
    """Whether the value under this name (inside the object named `parent`) must not be written down."""
    found = bare(name)
    return found in _SECRET or found.endswith(_ENDINGS) or (bare(parent), found) in _INSIDE


def is_access_key(name: str) -> bool:
    """Whether the value under this name is an access key id (AK)."""
    return bare(name) in _ACCESS_KEYS


# Headers worth keeping; all others are noise or secret. A trailing * stands for any ending.
_KEPT_OF_REQUESTS = _words("""
    content-type x-project-id x-domain-id x-language x-enterprise-project-id enterprise-project-id accept
    if-match if-none-match if-modified-since range soapaction client-request-id x-obs-* x-amz-*
""")
_KEPT_OF_ANSWERS = _words("""
    content-type content-disposition content-language content-range accept-ranges allow etag last-modified link location
    retry-after server www-authenticate x-request-id x-subject-token x-iam-trace-id x-obs-* x-amz-*
    x-openstack-request-id x-compute-request-id x-cff-* x-ratelimit-* x-total-count x-error-* openstack-api-version
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
REQUEST_IDS = _words("""
    x-request-id x-iam-trace-id x-obs-request-id x-obs-id-2 x-amz-request-id x-amz-id-2 x-openstack-request-id
    x-compute-request-id x-cff-request-id
""")


def _any_of(names: frozenset[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(name).replace(r"\*", ".*") for name in sorted(names)))


_KEPT = {"request": _any_of(_KEPT_OF_REQUESTS), "answer": _any_of(_KEPT_OF_ANSWERS)}


@lru_cache(maxsize=1024)
def is_kept(header: str, side: str) -> bool:
    """Whether a recording keeps this header of a "request" or an "answer"."""
    name = header.lower()
    if name == "x-subject-token":
        return side == "answer"  # its value is masked, but code that logs in reads it
    return not any(word in name for word in _NEVER) and _KEPT[side].fullmatch(name) is not None


def is_secret_header(header: str) -> bool:
    """Whether the value of this header is a secret, in cassettes that keep every header."""
    name = header.lower()
    return name not in ("x-sdk-date", "date") and (
        is_secret(name) or any(word in name for word in ("token", "signature", "secret", "authorization", "cookie"))
    )
