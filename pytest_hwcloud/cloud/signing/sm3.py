"""SM3 (GB/T 32905-2016) and its HMAC: by OpenSSL where it has SM3, else in Python."""

from __future__ import annotations

import hashlib
import hmac
import struct

NATIVE = "sm3" in hashlib.algorithms_available
BLOCK = 64  # bytes
_START = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)
_MASK = 0xFFFFFFFF


def digest(data: bytes) -> bytes:
    """The 32 bytes of SM3."""
    return hashlib.new("sm3", data).digest() if NATIVE else pure_digest(data)


def hexdigest(data: bytes) -> str:
    """SM3 as 64 hex digits."""
    return digest(data).hex()


def hmac_digest(key: bytes, data: bytes) -> bytes:
    """HMAC-SM3."""
    return hmac.digest(key, data, "sm3") if NATIVE else pure_hmac(key, data)


def pure_hmac(key: bytes, data: bytes) -> bytes:
    """HMAC-SM3 without OpenSSL."""
    block = (pure_digest(key) if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner = pure_digest(bytes(b ^ 0x36 for b in block) + data)
    return pure_digest(bytes(b ^ 0x5C for b in block) + inner)


def pure_digest(data: bytes) -> bytes:
    """SM3 without OpenSSL."""
    padded = data + b"\x80" + b"\0" * ((55 - len(data)) % BLOCK) + struct.pack(">Q", len(data) * 8)
    state: tuple[int, ...] = _START
    for at in range(0, len(padded), BLOCK):
        state = _compress(state, padded[at : at + BLOCK])
    return struct.pack(">8I", *state)


def _rotate(word: int, by: int) -> int:
    by %= 32
    return ((word << by) | (word >> (32 - by))) & _MASK


def _permute(word: int, first: int, second: int) -> int:
    return word ^ _rotate(word, first) ^ _rotate(word, second)


def _expand(block: bytes) -> list[int]:
    words = list(struct.unpack(">16I", block))
    for j in range(16, 68):
        mixed = _permute(words[j - 16] ^ words[j - 9] ^ _rotate(words[j - 3], 15), 15, 23)
        words.append(mixed ^ _rotate(words[j - 13], 7) ^ words[j - 6])
    return words


def _compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    words = _expand(block)
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        early = j < 16
        left = _rotate(_rotate(a, 12) + e + _rotate(0x79CC4519 if early else 0x7A879D8A, j) & _MASK, 7)
        choice_a = a ^ b ^ c if early else (a & b) | (a & c) | (b & c)
        choice_e = e ^ f ^ g if early else (e & f) | (~e & g)
        first = choice_a + d + (left ^ _rotate(a, 12)) + (words[j] ^ words[j + 4]) & _MASK
        second = choice_e + h + left + words[j] & _MASK
        a, b, c, d = first, a, _rotate(b, 9), c
        e, f, g, h = _permute(second, 9, 17), e, _rotate(f, 19), g
    return tuple(x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True))
