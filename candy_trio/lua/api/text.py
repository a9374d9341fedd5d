"""What text.lua asks of the server: base64 and hashes, which Python has in C."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import string
import zlib
from collections.abc import Callable
from typing import Any

_BASE64 = f"{string.ascii_letters}{string.digits}+/".encode()
_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/]*\Z")
_NOT_BASE64 = bytes(byte for byte in range(256) if byte not in _BASE64 + b"=")


def encode_base64(data: bytes, no_padding: bool | None = None) -> bytes:
    """``ngx.encode_base64``: RFC 4648 §4, padding left out if asked for."""
    text = binascii.b2a_base64(data, newline=False)
    return text.rstrip(b"=") if no_padding else text


def decode_base64(text: bytes) -> bytes | None:
    """``ngx.decode_base64``: padding is optional, the text ends at the first ``=``."""
    digits = text.partition(b"=")[0]
    if len(digits) % 4 == 1 or _BASE64_TEXT.match(digits) is None:
        return None
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def decode_base64mime(text: bytes) -> bytes | None:
    """``ngx.decode_base64mime``: like the above, but passes over foreign bytes (RFC 2045 §6.8)."""
    return decode_base64(text.translate(None, _NOT_BASE64))


def md5(data: bytes) -> bytes:
    """``ngx.md5``: in lower-case hexadecimal."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()


def md5_bin(data: bytes) -> bytes:
    """``ngx.md5_bin``: the 16 bytes."""
    return hashlib.md5(data, usedforsecurity=False).digest()


def sha1_bin(data: bytes) -> bytes:
    """``ngx.sha1_bin``: the 20 bytes."""
    return hashlib.sha1(data, usedforsecurity=False).digest()


def hmac_sha1(key: bytes, data: bytes) -> bytes:
    """``ngx.hmac_sha1`` (RFC 2104)."""
    return hmac.digest(key, data, "sha1")


CALLBACKS: dict[str, Callable[..., Any]] = {
    "encode_base64": encode_base64,
    "decode_base64": decode_base64,
    "decode_base64mime": decode_base64mime,
    "md5": md5,
    "md5_bin": md5_bin,
    "sha1_bin": sha1_bin,
    "hmac_sha1": hmac_sha1,
    "crc32": zlib.crc32,
}
