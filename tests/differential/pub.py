"""Compares versions by the rules of Dart's pub_semver, read a second time: lines `A<TAB>B` in, `<`, `=`, `>` or `!` out.

Dart is no Debian package, so that there is no tool to ask; this follows the library's documentation of its grammar and of
`int.tryParse`, in another language and another way than we do.
"""

import functools
import re
import sys

IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
VERSION = re.compile(rf"([0-9]+)\.([0-9]+)\.([0-9]+)(?:-({IDENTIFIERS}))?(?:\+({IDENTIFIERS}))?")
INTEGER = re.compile(r"-?(?:0[xX][0-9A-Fa-f]+|[0-9]+)")


def part(text):
    """(0, number) for what is an integer of 64 bits, (1, text) for all else: pairs of two kinds sort by the kind."""
    if INTEGER.fullmatch(text):
        hexadecimal = "x" in text.lower()
        number = int(text, 16 if hexadecimal else 10)
        if hexadecimal and 2**63 <= number < 2**64:
            number -= 2**64
        if -(2**63) <= number < 2**63:
            return (0, number, "")
    return (1, 0, text)


def key(text):
    match = VERSION.fullmatch(text)
    if not match or any(int(number) >= 2**63 for number in match.groups()[:3]):
        raise ValueError(text)
    pre, build = (list(map(part, group.split("."))) if group else [] for group in match.groups()[3:])
    return [*map(int, match.groups()[:3]), not pre, pre, build]


for line in sys.stdin:
    try:
        left, right = map(functools.lru_cache(key), line.rstrip("\n").split("\t"))
        print("<" if left < right else ">" if left > right else "=")
    except ValueError:
        print("!")
