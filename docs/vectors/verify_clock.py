"""Checks clock.json from the layouts in clock.md alone: clock, PLAT, chain, tick signatures, replay window, TESC messages.

Needs Python 3.8 or later and the package `cryptography`. Run: python3 docs/vectors/verify_clock.py
It shares no code with the product; what agrees here agrees because the layouts say enough.
"""

import hashlib
import hmac
import json
import math
import pathlib
import struct

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ZERO = bytes(32)
GAP_CODES = {"restart": 1, "stall": 2, "clock_forward": 3, "clock_back": 4, "store_unavailable": 5, "takeover": 6}


def hkdf(secret, info):
    """HKDF-SHA256 without salt, 32 bytes (RFC 5869)."""
    extracted = hmac.new(ZERO, secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def u64(number):
    return struct.pack(">Q", number)


def named(text):
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def length_prefixed(*parts):
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def plat_input(channel, uid, zeqond, previous, content_digest):
    return b"zeq/plat/v1\0" + named(channel) + named(uid) + u64(zeqond) + previous + content_digest


def plat(key, *fields):
    return hmac.new(key, plat_input(*fields), hashlib.sha256).digest()


def genesis(seed, uid):
    return hashlib.sha256(b"zeq/genesis/v1\0" + seed + uid.encode()).digest()


def next_chain(previous, plat_bytes, zeqond, uid):
    return hashlib.sha256(previous + plat_bytes + u64(zeqond) + uid.encode()).digest()


def time_fields(unix_ms):
    zeqond, rest = divmod(unix_ms, 777)
    radians = 2 * math.pi * (rest / 777)
    return zeqond, rest / 777, radians, 0.001 * math.sin(radians)


def content_digest(tick):
    unix_ms = round(tick["timestamp"] * 1000)
    gap = tick.get("gap")
    return hashlib.sha256(
        b"zeq/tick/v1\0"
        + u64(unix_ms)
        + u64(unix_ms // 777)
        + struct.pack(">IB", tick["connections"], GAP_CODES[gap["reason"]] if gap else 0)
        + u64(gap["after"] if gap else 0)
        + u64(gap["missed"] if gap else 0)
        + bytes.fromhex(tick.get("bound", ZERO.hex()))
    ).digest()


def signed_bytes(tick):
    tesc = tick["tesc"]
    return (
        b"zeq/head/v1\0"
        + u64(tesc["depth"])
        + u64(tick["zeqond"])
        + bytes.fromhex(tesc["prev"] + tesc["plat"] + tesc["chain"])
        + content_digest(tick)
        + tesc["uid"].encode()
    )


def check_alone(tick, plat_key=None):
    """What is wrong with one tick, or None."""
    if tick["type"] != "tick":
        return "shape"
    unix_ms = round(tick["timestamp"] * 1000)
    zeqond, phase, radians, ko42 = time_fields(unix_ms)
    exact = (tick["zeqond"], tick["phase"], tick["phaseRadians"], tick["frequency"]) == (zeqond, phase, radians, 1.287)
    if not exact or unix_ms / 1000 != tick["timestamp"] or abs(tick["ko42"] - ko42) > 1e-15:
        return "fields"
    if "tesc" not in tick:
        return "unattested"
    tesc = tick["tesc"]
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(tesc["public_key"]))
        key.verify(bytes.fromhex(tesc["sig"]), signed_bytes(tick))
    except (InvalidSignature, ValueError):
        return "signature"
    if plat_key is not None:
        fields = ("zeq/ticks", tesc["uid"], tick["zeqond"], bytes.fromhex(tesc["prev"]), content_digest(tick))
        if not hmac.compare_digest(plat(plat_key, *fields), bytes.fromhex(tesc["plat"])):
            return "plat"
    return None


def check_link(head, tick):
    """Whether one tick follows from another; None when it does."""
    depths = tick["tesc"]["depth"] - head["tesc"]["depth"]
    if depths <= 0:
        other = tick["tesc"]["sig"] != head["tesc"]["sig"] if depths == 0 else tick["zeqond"] >= head["zeqond"]
        return "fork" if other else "repeated"
    if depths > 1:
        return "missing"
    if tick["zeqond"] <= head["zeqond"]:
        return "order"
    chain = next_chain(
        bytes.fromhex(head["tesc"]["chain"]), bytes.fromhex(tick["tesc"]["plat"]), tick["zeqond"], tick["tesc"]["uid"]
    )
    if tick["tesc"]["prev"] != head["tesc"]["plat"] or tick["tesc"]["chain"] != chain.hex():
        return "link"
    gap, missed = tick.get("gap"), tick["zeqond"] - head["zeqond"] - 1
    fits = missed == 0 if gap is None else (gap["after"], gap["missed"]) == (head["zeqond"], missed)
    return None if fits else "gap"


def check_clock(vectors):
    for case in vectors["clock"]:
        zeqond, phase, radians, ko42 = time_fields(case["unix_ms"])
        assert (zeqond, phase, radians) == (case["zeqond"], case["phase"], case["phaseRadians"]), case
        assert abs(ko42 - case["ko42"]) <= 1e-15, case


def check_plats(vectors):
    for case in vectors["keys"]:
        assert hkdf(case["secret"].encode(), case["info"].encode()).hex() == case["key"], case
    for case in vectors["plats"]:
        fields = (
            case["channel"],
            case["uid"],
            case["zeqond"],
            bytes.fromhex(case["previous"]),
            bytes.fromhex(case["content_sha256"]),
        )
        assert plat_input(*fields).hex() == case["input"], case
        assert plat(bytes.fromhex(case["key"]), *fields).hex() == case["plat"], case


def check_ticks(vectors):
    plat_key = bytes.fromhex(vectors["keys"][0]["key"])
    chain = vectors["chain"]
    link = genesis(bytes.fromhex(chain["seed"]), chain["uid"])
    assert link.hex() == chain["genesis"]
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vectors["signing"]["seed"]))
    ticks = [entry["tick"] for entry in vectors["ticks"]]
    for entry in vectors["ticks"]:
        tick = entry["tick"]
        assert content_digest(tick).hex() == entry["content_sha256"], tick
        assert check_alone(tick, plat_key) is None, tick
        assert private.sign(signed_bytes(tick)).hex() == tick["tesc"]["sig"], tick
        link = next_chain(link, bytes.fromhex(tick["tesc"]["plat"]), tick["zeqond"], chain["uid"])
        assert link.hex() == tick["tesc"]["chain"], tick
    for head, tick in zip(ticks, ticks[1:]):
        assert check_link(head, tick) is None, tick
        assert check_link(head, head) == "repeated"
    for head, tick in zip(ticks, ticks[2:]):
        assert check_link(head, tick) == "missing", tick
    for case in vectors["tampered"]:
        assert check_alone(case["tick"], plat_key) == case["fault"], case["field"]


def check_seen(vectors):
    seen, present = set(), 0
    for case in vectors["seen"]:
        present = max(present, case["present"])
        entry = (case["zeqond"], case["value"])
        if abs(case["zeqond"] - present) > 1:
            answer = "closed"
        else:
            answer = "replayed" if entry in seen else "fresh"
            seen.add(entry)
        assert answer == case["answer"], case


def check_tesc(vectors):
    tesc = vectors["tesc"]
    channel = tesc["channel"]
    salt = length_prefixed(b"zeq/tesc/v1", channel.encode())
    root = hashlib.pbkdf2_hmac("sha256", tesc["secret"].encode(), salt, 100_000)
    plat_key, content_key = hkdf(root, b"zeq/tesc/plat/v1"), hkdf(root, b"zeq/tesc/content/v1")
    assert (plat_key.hex(), content_key.hex()) == (tesc["plat_key"], tesc["content_key"])

    join = tesc["join"]
    digest = hashlib.sha256(b"join").digest()
    assert plat(plat_key, channel, join["uid"], join["zeqond"], ZERO, digest).hex() == join["plat"]

    message = tesc["message"]
    assert message["previous"] == join["plat"]
    previous, iv, ciphertext = (bytes.fromhex(message[name]) for name in ("previous", "iv", "ciphertext"))
    aad = length_prefixed(b"zeq/tesc/message/v1", channel.encode(), message["uid"].encode(), u64(message["zeqond"]), previous)
    assert aad.hex() == message["aad"]
    assert AESGCM(content_key).decrypt(iv, ciphertext, aad).decode() == message["text"]
    digest = hashlib.sha256(iv + ciphertext).digest()
    assert plat(plat_key, channel, message["uid"], message["zeqond"], previous, digest).hex() == message["plat"]
    for changed in (aad[:-1] + bytes([aad[-1] ^ 1]), aad + b"\0"):
        try:
            AESGCM(content_key).decrypt(iv, ciphertext, changed)
        except InvalidTag:
            continue
        raise AssertionError("a message opened in another place")


CHECKS = (check_clock, check_plats, check_ticks, check_seen, check_tesc)


def verify(folder=pathlib.Path(__file__).parent):
    vectors = json.loads((folder / "clock.json").read_text())
    for check in CHECKS:
        check(vectors)
        print(f"clock.json: {check.__name__.replace('check_', '')} ok")


if __name__ == "__main__":
    verify()
