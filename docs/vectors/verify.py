"""Checks every vector in this folder from its page alone; stops at the first that does not agree.

Needs Python 3.8 or later and the package `cryptography`. Run: python3 docs/vectors/verify.py
A new page gets a module with a `verify` function and a line in MODULES.
"""

import verify_audit
import verify_clock
import verify_hite
import verify_zeq_file

MODULES = (verify_audit, verify_clock, verify_hite, verify_zeq_file)

if __name__ == "__main__":
    for module in MODULES:
        module.verify()
    print("all vectors agree with their layouts")
