"""What text.lua asks of the server: base64 and hashes, which Python has in C.

A long text comes in pieces. What is known of it in between is a number or a few bytes that Lua
keeps, or, of a hash, an object that the run keeps: it goes with the run, however that ends.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import string
import zlib
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from candy_trio.lua.current import Current

_BASE64 = f"{string.ascii_letters}{string.digits}+/".encode()
_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/]*\Z")
_BASE64URL_TEXT = re.compile(rb"[A-Za-z0-9_-]*\Z")
_NOT_BASE64 = bytes(byte for byte in range(256) if byte not in _BASE64 + b"=")
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def encode_base64(data: bytes, no_padding: bool | None = None, url: bool | None = None) -> bytes:
    """``ngx.encode_base64``: RFC 4648 §4, or its §5; padding left out if asked for."""
    text = binascii.b2a_base64(data, newline=False)
    if no_padding:
        text = text.rstrip(b"=")
    return text.translate(_TO_URL) if url else text


def decode_base64(text: bytes, kind: bytes = b"") -> bytes | None:
    """``ngx.decode_base64``: padding is optional, the text ends at the first ``=``.

    Of kind "url" it is that of RFC 4648 §5, of kind "mime" foreign bytes are passed over (RFC 2045
    §6.8).
    """
    piece = decode_base64_piece(b"", text, kind)
    if piece is None or len(piece[1]) == 1:
        return None
    decoded, rest, _ = piece
    return decoded + binascii.a2b_base64(rest + b"=" * (-len(rest) % 4))


def decode_base64_piece(
    before: bytes, text: bytes, kind: bytes
) -> tuple[bytes, bytes, bool] | None:
    """What ``text`` means behind the digits ``before``, the digits left over, whether it ended.

    None if it is no base64.
    """
    if kind == b"mime":
        text = text.translate(None, _NOT_BASE64)
    digits, end, _ = text.partition(b"=")
    if (_BASE64URL_TEXT if kind == b"url" else _BASE64_TEXT).match(digits) is None:
        return None
    if kind == b"url":
        digits = digits.translate(_FROM_URL)
    digits = before + digits
    whole = len(digits) - len(digits) % 4
    return binascii.a2b_base64(digits[:whole]), digits[whole:], end != b""


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


def callbacks(current: Current) -> dict[str, Callable[..., Any]]:
    """By name; ``current`` says which run keeps a hash that is not finished."""
    numbers = count(1)

    def hash_begin(kind: bytes, key: bytes | None) -> int:
        """The number of a hash of "md5", "md5_bin", "sha1_bin" or "hmac_sha1"."""
        state: Any
        if key is not None:
            state = hmac.new(key, digestmod="sha1")
        else:
            state = hashlib.new(kind.partition(b"_")[0].decode(), usedforsecurity=False)
        number = next(numbers)
        current.run.hashes[number] = state, kind == b"md5"
        return number

    def hash_add(number: int, data: bytes) -> None:
        current.run.hashes[number][0].update(data)

    def hash_end(number: int) -> bytes:
        state, in_hex = current.run.hashes.pop(number)
        digest: bytes = state.digest()
        return binascii.hexlify(digest) if in_hex else digest

    return {
        "encode_base64": encode_base64,
        "decode_base64": decode_base64,
        "decode_base64_piece": decode_base64_piece,
        "md5": md5,
        "md5_bin": md5_bin,
        "sha1_bin": sha1_bin,
        "hmac_sha1": hmac_sha1,
        "crc32": zlib.crc32,
        "hash_begin": hash_begin,
        "hash_add": hash_add,
        "hash_end": hash_end,
    }
