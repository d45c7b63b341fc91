"""The two elliptic-curve algorithms, SDK-ECDSA-P256-SHA256 and SDK-SM2-SM3, behind the extra `ec` (cryptography).

The private key is derived from AK and SK. P-256 is done by cryptography; SM2, which it lacks, in Python here.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.signing import sm3

Point = tuple[int, int] | None  # None: the point at infinity
_UID = b"1234567812345678"


class MissingExtraError(ValueError):
    """An algorithm needs a package that is not installed; the text names the extra."""


def available() -> bool:
    """Whether the extra `ec` is installed."""
    return find_spec("cryptography") is not None


def require(algorithm: str) -> None:
    """MissingExtraError if the algorithm cannot be used here."""
    if not available():
        raise MissingExtraError(texts.say("signing.no-extra", algorithm=algorithm))


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """y² = x³ + ax + b over p, with the generator (gx, gy) of order n."""

    p: int
    a: int
    b: int
    gx: int
    gy: int
    n: int


SM2 = Curve(
    p=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF,
    a=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC,
    b=0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    gx=0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    gy=0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
    n=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
)
_P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def sign(algorithm: str, ak: str, sk: bytes, data: bytes) -> str:
    """The signature (DER, in hex) of data; another one each time."""
    require(algorithm)
    return _BY_NAME[algorithm].sign(private_key(algorithm, ak, sk), data).hex()


def verify(algorithm: str, ak: str, sk: bytes, data: bytes, signature: str) -> bool:
    """Whether the signature (DER, in hex) is one of data by the key that AK and SK give."""
    require(algorithm)
    try:
        return _BY_NAME[algorithm].verify(private_key(algorithm, ak, sk), data, bytes.fromhex(signature))
    except ValueError:  # neither hex nor DER
        return False


@lru_cache(maxsize=64)
def private_key(algorithm: str, ak: str, sk: bytes) -> int:
    """The key of AK and SK: the first of 255 keyed hashes that lies in the range, and one."""
    scheme = _BY_NAME[algorithm]
    for counter in range(0xFF):
        text = b"\0\0\0\x01" + algorithm.encode() + b"\0" + ak.encode() + bytes([counter]) + b"\0\0\x01\0"
        candidate = int.from_bytes(scheme.keyed_hash(sk, text), "big")
        if candidate <= scheme.order - 2:
            return candidate + 1
    raise ValueError(texts.say("signing.no-key", algorithm=algorithm))


def _p256_sign(key: int, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    return ec.derive_private_key(key, ec.SECP256R1()).sign(data, ec.ECDSA(SHA256()))


def _p256_verify(key: int, data: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        ec.derive_private_key(key, ec.SECP256R1()).public_key().verify(signature, data, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _add(first: Point, second: Point) -> Point:
    if first is None or second is None:
        return first or second
    (x1, y1), (x2, y2) = first, second
    if x1 == x2 and (y1 + y2) % SM2.p == 0:
        return None
    slope = (3 * x1 * x1 + SM2.a, 2 * y1) if first == second else (y2 - y1, x2 - x1)
    gradient = slope[0] * pow(slope[1], -1, SM2.p)
    x3 = (gradient * gradient - x1 - x2) % SM2.p
    return x3, (gradient * (x1 - x3) - y1) % SM2.p


def _multiply(factor: int, point: Point) -> Point:
    product: Point = None
    while factor:
        if factor & 1:
            product = _add(product, point)
        point = _add(point, point)
        factor >>= 1
    return product


@lru_cache(maxsize=64)
def _sm2_public(key: int) -> tuple[Point, bytes]:
    """The public key, and the hash of signer and curve that stands in front of every message."""
    public = _multiply(key, (SM2.gx, SM2.gy))
    numbers = (SM2.a, SM2.b, SM2.gx, SM2.gy, *(public or (0, 0)))
    preface = (len(_UID) * 8).to_bytes(2, "big") + _UID + b"".join(number.to_bytes(32, "big") for number in numbers)
    return public, sm3.digest(preface)


def _sm2_hash(key: int, data: bytes) -> int:
    return int.from_bytes(sm3.digest(_sm2_public(key)[1] + data), "big")


def _sm2_sign(key: int, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    hashed = _sm2_hash(key, data)
    while True:
        k = secrets.randbelow(SM2.n - 1) + 1
        x, _ = _multiply(k, (SM2.gx, SM2.gy)) or (0, 0)
        r = (hashed + x) % SM2.n
        s = pow(key + 1, -1, SM2.n) * (k - r * key) % SM2.n
        if r and s and r + k != SM2.n:
            return encode_dss_signature(r, s)


def _sm2_verify(key: int, data: bytes, signature: bytes) -> bool:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(signature)
    total = (r + s) % SM2.n
    if not (0 < r < SM2.n and 0 < s < SM2.n and total):
        return False
    point = _add(_multiply(s, (SM2.gx, SM2.gy)), _multiply(total, _sm2_public(key)[0]))
    return point is not None and (_sm2_hash(key, data) + point[0]) % SM2.n == r


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scheme:
    order: int
    keyed_hash: Callable[[bytes, bytes], bytes]
    sign: Callable[[int, bytes], bytes]
    verify: Callable[[int, bytes, bytes], bool]


def _hmac_sha256(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, hashlib.sha256)


_BY_NAME = {
    "SDK-ECDSA-P256-SHA256": _Scheme(order=_P256_N, keyed_hash=_hmac_sha256, sign=_p256_sign, verify=_p256_verify),
    "SDK-SM2-SM3": _Scheme(order=SM2.n, keyed_hash=sm3.hmac_digest, sign=_sm2_sign, verify=_sm2_verify),
}
