"""Checks audit.json from the page audit.md alone: leaves, trees, proofs, heads, and the tick that binds the log.

Needs Python 3.8 or later and the package `cryptography`. Run: python3 docs/vectors/verify_audit.py
It shares no code with the product, and its trees are those of RFC 6962, section 2.1, as they are written there.
"""

import hashlib
import json
import pathlib

import verify_clock


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(text):
    return sha256(b"\0" + text.encode())


def split(size):
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def tree_hash(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\1" + tree_hash(leaves[:k]) + tree_hash(leaves[k:]))


def inclusion(leaf, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if leaf < k:
        return inclusion(leaf, leaves[:k]) + [tree_hash(leaves[k:])]
    return inclusion(leaf - k, leaves[k:]) + [tree_hash(leaves[:k])]


def consistency(first, leaves, known=True):
    if first == len(leaves):
        return [] if known else [tree_hash(leaves)]
    k = split(len(leaves))
    if first <= k:
        return consistency(first, leaves[:k], known) + [tree_hash(leaves[k:])]
    return consistency(first - k, leaves[k:], False) + [tree_hash(leaves[:k])]


def root_from(leaf, place, size, path):
    """The root that a path leads to, by the shape of the tree; None when it does not fit the tree."""
    path = list(path)

    def up(place, size):
        if size == 1:
            return leaf
        k = split(size)
        below = up(place, k) if place < k else up(place - k, size - k)
        if below is None or not path:
            return None
        sibling = path.pop(0)
        return sha256(b"\1" + (below + sibling if place < k else sibling + below))

    if not 0 <= place < size:
        return None
    root = up(place, size)
    return None if path else root


def canonical(value):
    """RFC 8785 for what is in these vectors: numbers that Python and ECMAScript write alike."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fault_of(entry, head):
    try:
        path = [bytes.fromhex(item) for item in entry["path"]]
        if entry["kind"] == "call":
            page = entry["page"]
            page_path = [bytes.fromhex(item) for item in entry["page_path"]]
            place = entry["number"] - page["first"]
            if root_from(leaf_hash(canonical(entry["call"])), place, page["calls"], page_path) != bytes.fromhex(page["root"]):
                return "page"
        said = entry["page"] if entry["kind"] == "call" else entry["change"]
        root = root_from(leaf_hash(canonical(said)), entry["leaf"], head["size"], path)
        return None if root == bytes.fromhex(head["root"]) else "log"
    except ValueError:
        return "shape"


def head_digest(size, root):
    return sha256(b"zeq/audit/v1\0" + verify_clock.u64(size) + root)


def verify():
    vectors = json.loads((pathlib.Path(__file__).parent / "audit.json").read_text())
    leaves = [leaf_hash(leaf["data"]) for leaf in vectors["leaves"]]
    assert [leaf.hex() for leaf in leaves] == [leaf["hash"] for leaf in vectors["leaves"]]
    for page in vectors["pages"]:
        calls = [leaf_hash(call) for call in page["calls"]]
        assert tree_hash(calls).hex() == page["root"]
        assert [[item.hex() for item in inclusion(at, calls)] for at in range(len(calls))] == page["paths"]
    for head in vectors["heads"]:
        root = tree_hash(leaves[: head["size"]])
        assert (root.hex(), head_digest(head["size"], root).hex()) == (head["root"], head["digest"])
    for proof in vectors["inclusion"]:
        assert [item.hex() for item in inclusion(proof["leaf"], leaves[: proof["size"]])] == proof["path"]
    for proof in vectors["consistency"]:
        assert [item.hex() for item in consistency(proof["first"], leaves[: proof["second"]])] == proof["path"]
    answer = vectors["answer"]
    assert all(fault_of(entry, answer["head"]) is None for entry in answer["entries"])
    for case in vectors["tampered"]:
        assert fault_of(case["entry"], answer["head"]) == case["fault"], case["what"]
    head = answer["head"]
    assert vectors["tick"]["bound"] == head_digest(head["size"], bytes.fromhex(head["root"])).hex()
    assert verify_clock.check_alone(vectors["tick"]) is None


if __name__ == "__main__":
    verify()
    print("audit.json agrees with audit.md")
