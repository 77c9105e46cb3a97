#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""count_tests.py <junit.xml>: prints passed and failed. A test that was skipped or did not run has not passed: it counts as failed, and so
does a report that is missing or empty."""
import sys
import xml.etree.ElementTree


def count(path: str) -> tuple[int, int]:
    try:
        cases = xml.etree.ElementTree.parse(path).getroot().findall("testcase")
    except (OSError, xml.etree.ElementTree.ParseError):
        return 0, 1
    passed = sum(case.get("status") == "run" for case in cases)
    return passed, len(cases) - passed if cases else 1


if __name__ == "__main__":
    print(*count(sys.argv[1]))
