"""Checks zeq-file.json from the layout in zeq-file.md alone: reads its files, writes them again, and tries to read damaged ones.

Needs Python 3.8 or later and the package `cryptography`. Run: python3 docs/vectors/verify_zeq_file.py
It shares no code with the product; what agrees here agrees because the layout says enough.
"""

import functools
import hashlib
import hmac
import json
import pathlib
import struct
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FIXED = struct.Struct(">4sBBI32sI")
TAG = 32
SEGMENT = 65_536


class Refused(Exception):
    """A file that does not open as a whole."""


def hkdf(key, info):
    """HKDF-SHA256 without salt, 32 bytes (RFC 5869)."""
    extracted = hmac.new(bytes(32), key, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


@functools.lru_cache(maxsize=None)
def file_keys(passphrase, rounds, salt):
    """The header key and the segment key."""
    normal = unicodedata.normalize("NFC", passphrase)
    assert len(normal) >= 12
    root = hashlib.pbkdf2_hmac("sha256", normal.encode(), b"zeq/file/v1\0" + salt, rounds, 32)
    return hkdf(root, b"zeq/file/header/v1"), hkdf(root, b"zeq/file/segments/v1")


def segment_iv(index, last):
    return index.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def read_header(file):
    """rounds, salt, metadata, header tag and where the segments begin."""
    if len(file) < FIXED.size:
        raise Refused("not a .zeq file")
    magic, version, kdf, rounds, salt, length = FIXED.unpack_from(file)
    if magic != b"ZEQ\x1a" or (version, kdf) != (1, 1) or not 100_000 <= rounds <= 10_000_000 or length > 65_536:
        raise Refused("not a .zeq file that is supported")
    end = FIXED.size + length
    if len(file) < end + TAG:
        raise Refused("truncated")
    return rounds, salt, file[FIXED.size : end], file[end : end + TAG], end + TAG


def read(file, passphrase):
    """The metadata and the content."""
    rounds, salt, metadata, tag, start = read_header(file)
    header_key, segment_key = file_keys(passphrase, rounds, salt)
    if not hmac.compare_digest(hmac.new(header_key, file[: start - TAG], hashlib.sha256).digest(), tag):
        raise Refused("wrong passphrase or header")
    body, content, step = file[start:], [], SEGMENT + 16
    for index, at in enumerate(range(0, max(len(body), 1), step)):
        sealed, last = body[at : at + step], at + step >= len(body)
        if len(sealed) < 16 or (len(sealed) == 16 and index > 0):
            raise Refused("truncated")
        try:
            content.append(AESGCM(segment_key).decrypt(segment_iv(index, last), sealed, tag))
        except InvalidTag:
            raise Refused("damaged segment") from None
    return json.loads(metadata), b"".join(content)


def write(content, passphrase, rounds, salt, metadata):
    header_key, segment_key = file_keys(passphrase, rounds, salt)
    header = FIXED.pack(b"ZEQ\x1a", 1, 1, rounds, salt, len(metadata)) + metadata
    tag = hmac.new(header_key, header, hashlib.sha256).digest()
    pieces = [content[at : at + SEGMENT] for at in range(0, max(len(content), 1), SEGMENT)]
    sealed = [
        AESGCM(segment_key).encrypt(segment_iv(index, index == len(pieces) - 1), piece, tag)
        for index, piece in enumerate(pieces)
    ]
    return header + tag + b"".join(sealed)


def check_whole(vectors):
    for case in vectors["whole"]:
        file, content = bytes.fromhex(case["file"]), case["content"].encode()
        metadata, opened = read(file, case["passphrase"])
        assert opened == content, case["name"]
        clock = metadata["clock"]
        assert clock["zeqond"] == clock["unix_ms"] // 777 and clock["phase"] == clock["unix_ms"] % 777 / 777, metadata
        assert metadata["landauer"]["energy_joules"] == "3.324e+56", metadata
        rounds, salt, raw_metadata, _, _ = read_header(file)
        assert write(content, case["passphrase"], rounds, salt, raw_metadata) == file, case["name"]


def check_long(vectors):
    for case in vectors["long"]:
        content = bytes(i % 251 for i in range(case["bytes"]))
        rounds, salt, metadata, _, _ = read_header(bytes.fromhex(case["header"]))
        file = write(content, case["passphrase"], rounds, salt, metadata)
        assert hashlib.sha256(file).hexdigest() == case["sha256"], case["bytes"]
        assert read(file, case["passphrase"])[1] == content, case["bytes"]


def check_damaged(vectors):
    content, salt, passphrase = bytes(2 * SEGMENT + 9), bytes(range(32)), "a long enough passphrase"
    file = write(content, passphrase, 100_000, salt, b"{}")
    start, step = FIXED.size + 2 + TAG, SEGMENT + 16
    head, first, second, last = file[:start], file[start : start + step], file[start + step : start + 2 * step], file[start + 2 * step :]
    damaged = [
        head + second + first + last,
        head + first + first + second + last,
        head + first + last,
        head + first + second,
        head + first + second + last + last,
        head,
        head[:-1] + bytes([head[-1] ^ 1]) + first + second + last,
        file[:-1],
        file + b"\0",
        file[:start + 5] + bytes([file[start + 5] ^ 1]) + file[start + 6 :],
    ]
    for bad in damaged:
        assert_refused(bad, passphrase)
    assert_refused(file, "another long passphrase")


def assert_refused(file, passphrase):
    try:
        read(file, passphrase)
    except Refused:
        return
    raise AssertionError("a damaged file opened")


CHECKS = (check_whole, check_long, check_damaged)


def verify(folder=pathlib.Path(__file__).parent):
    vectors = json.loads((folder / "zeq-file.json").read_text())
    for check in CHECKS:
        check(vectors)
        print(f"zeq-file.json: {check.__name__.replace('check_', '')} ok")


if __name__ == "__main__":
    verify()
