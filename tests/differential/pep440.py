"""Compares versions as pip does: reads lines `A<TAB>B`, writes `<`, `=`, `>`, or `!` where `packaging` refuses one.

Python package: packaging; pip's own copy serves where that is not installed.
"""

import sys

try:
    from packaging.version import InvalidVersion, Version
except ImportError:
    from pip._vendor.packaging.version import InvalidVersion, Version

for line in sys.stdin:
    try:
        left, right = map(Version, line.rstrip("\n").split("\t"))
        print("<" if left < right else ">" if left > right else "=")
    except InvalidVersion:
        print("!")
