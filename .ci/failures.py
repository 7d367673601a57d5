"""Prints the failed tests of a jest report, each with the beginning of what it said, so that the end of a long log tells them all."""

import json
import re
import sys

MOST_LINES = 25

for suite in json.load(open(sys.argv[1]))["testResults"]:
    failed = [test for test in suite["assertionResults"] if test["status"] == "failed"]
    if suite["status"] == "failed" and not failed:
        failed = [{"fullName": "the suite itself", "failureMessages": [suite["message"]]}]
    for test in failed:
        print(f"FAILED: {suite['name']} > {test['fullName']}")
        message = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(test["failureMessages"]))
        print("\n".join(f"    {line}" for line in message.splitlines()[:MOST_LINES]))
