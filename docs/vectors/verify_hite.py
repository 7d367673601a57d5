"""Checks hite.json from the layouts in hite.md alone: session keys, request frames, answers, the replay window.

Needs Python 3.8 or later and the package `cryptography`. Run: python3 docs/vectors/verify_hite.py
It shares no code with the product; what agrees here agrees because the layouts say enough.
"""

import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KINDS = {1: "head", 2: "data", 3: "end"}
OVERHEAD = 8 + 12 + 16
MAX_FRAME = OVERHEAD + 1 + 1_048_576
WINDOW = 1024


class Refused(Exception):
    """A frame that does not open, or stands in the wrong place."""


class Truncated(Exception):
    """An answer that was cut off."""


def hkdf(key, info):
    """HKDF-SHA256 without salt, 32 bytes (RFC 5869)."""
    extracted = hmac.new(bytes(32), key, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def u64(number):
    return struct.pack(">Q", number)


def lp(*parts):
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def session_keys(secret, client_nonce, server_nonce):
    salt = b"zeq/hite/v1\0" + client_nonce + server_nonce
    root = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, 100_000, 32)
    return hkdf(root, b"zeq/hite/request/v1"), hkdf(root, b"zeq/hite/response/v1")


def request_aad(session_id, counter):
    return lp(b"zeq/hite/request/v1", session_id.encode(), u64(counter))


def response_aad(session_id, request_counter, index):
    return lp(b"zeq/hite/response/v1", session_id.encode(), u64(request_counter), u64(index))


def seal_frame(key, counter, iv, aad, plaintext):
    sealed = AESGCM(key).encrypt(iv, plaintext, aad)
    return u64(counter) + iv + sealed[-16:] + sealed[:-16]


def open_frame(key, aad_of, frame):
    """The frame's counter and plaintext; `aad_of` makes the associated data from the counter."""
    if len(frame) < OVERHEAD:
        raise Refused
    (counter,) = struct.unpack(">Q", frame[:8])
    iv, tag, ciphertext = frame[8:20], frame[20:36], frame[36:]
    try:
        return counter, AESGCM(key).decrypt(iv, ciphertext + tag, aad_of(counter))
    except InvalidTag:
        raise Refused from None


def open_answer(key, session_id, request_counter, wire):
    """The parts of an answer as (kind, payload)."""
    parts, at = [], 0
    while not parts or parts[-1][0] != "end":
        if len(wire) < at + 4:
            raise Truncated
        (length,) = struct.unpack(">I", wire[at : at + 4])
        if length > MAX_FRAME:
            raise Refused
        if len(wire) < at + 4 + length:
            raise Truncated
        frame = wire[at + 4 : at + 4 + length]
        index, plaintext = open_frame(key, lambda i: response_aad(session_id, request_counter, i), frame)
        kind = KINDS.get(plaintext[0]) if plaintext else None
        if index != len(parts) or kind is None or (kind == "head") != (index == 0):
            raise Refused
        parts.append((kind, plaintext[1:]))
        at += 4 + length
    if at != len(wire):
        raise Refused
    return parts


def check_session(vectors):
    session = vectors["session"]
    nonces = [bytes.fromhex(session[name]) for name in ("client_nonce", "server_nonce")]
    keys = session_keys(session["secret"], *nonces)
    assert [key.hex() for key in keys] == [session["request_key"], session["response_key"]]


def check_requests(vectors):
    session = vectors["session"]
    key = bytes.fromhex(session["request_key"])
    for case in vectors["requests"]:
        frame, aad = bytes.fromhex(case["frame"]), request_aad(session["session_id"], case["counter"])
        assert aad.hex() == case["aad"], case
        opened = open_frame(key, lambda counter: request_aad(session["session_id"], counter), frame)
        assert opened == (case["counter"], case["plaintext"].encode()), case
        assert seal_frame(key, case["counter"], frame[8:20], aad, case["plaintext"].encode()) == frame, case
        check_flips(key, session["session_id"], frame)


def check_flips(key, session_id, frame):
    for bit in range(8 * len(frame)):
        changed = bytearray(frame)
        changed[bit // 8] ^= 1 << (bit % 8)
        try:
            open_frame(key, lambda counter: request_aad(session_id, counter), bytes(changed))
        except Refused:
            continue
        raise AssertionError(f"bit {bit} changed and the frame opened")


def check_answers(vectors):
    session = vectors["session"]
    key = bytes.fromhex(session["response_key"])
    for case in vectors["answers"]:
        wire = bytes.fromhex(case["wire"])
        parts = open_answer(key, session["session_id"], case["request_counter"], wire)
        assert parts == [(frame["kind"], frame["payload"].encode()) for frame in case["frames"]], case
        for index, frame in enumerate(case["frames"]):
            assert response_aad(session["session_id"], case["request_counter"], index).hex() == frame["aad"], frame
        for length in range(len(wire)):
            assert fault_of(key, session["session_id"], case["request_counter"], wire[:length]) == "truncated", length
    for case in vectors["refused"]:
        assert fault_of(key, session["session_id"], 0, bytes.fromhex(case["wire"])) == case["fault"], case["what"]


def fault_of(key, session_id, request_counter, wire):
    try:
        open_answer(key, session_id, request_counter, wire)
    except Refused:
        return "refused"
    except Truncated:
        return "truncated"
    return None


def check_window(vectors):
    seen, highest = set(), -1
    for case in vectors["window"]:
        counter = case["counter"]
        taken = counter not in seen and counter > highest - WINDOW
        if taken:
            seen.add(counter)
            highest = max(highest, counter)
        assert taken == case["taken"], case


CHECKS = (check_session, check_requests, check_answers, check_window)


def verify(folder=pathlib.Path(__file__).parent):
    vectors = json.loads((folder / "hite.json").read_text())
    for check in CHECKS:
        check(vectors)
        print(f"hite.json: {check.__name__.replace('check_', '')} ok")


if __name__ == "__main__":
    verify()
