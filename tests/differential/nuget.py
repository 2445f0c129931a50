"""Compares versions as NuGet documents it: reads lines `A<TAB>B`, writes `<`, `=`, `>`, or `!` for an invalid one.

There is no NuGet to ask, so this is a second reading of the rules of NuGet.Versioning: one regular expression and one sort
key, which share nothing with the parser under test.
"""

import re
import sys

PART = r"[0-9A-Za-z-]+"
GRAMMAR = re.compile(rf"([0-9]+(?:\.[0-9]+){{0,3}})(?:-({PART}(?:\.{PART})*))?(?:\+{PART}(?:\.{PART})*)?")
GREATEST = 2**31 - 1


def label(text):
    if re.fullmatch(r"0[0-9]+", text):
        raise ValueError(text)
    # int.TryParse: a sign is allowed, and what does not fit is a word.
    if re.fullmatch(r"-?[0-9]+", text) and -GREATEST - 1 <= int(text) <= GREATEST:
        return (0, int(text), "")
    return (1, 0, text.upper())


def key(version):
    match = GRAMMAR.fullmatch(version.strip())
    if not match:
        raise ValueError(version)
    numbers = [int(number) for number in match[1].split(".")]
    if max(numbers) > GREATEST:
        raise ValueError(version)
    numbers += [0] * (4 - len(numbers))
    labels = [label(text) for text in match[2].split(".")] if match[2] else []
    return numbers, not labels, labels


for line in sys.stdin:
    try:
        left, right = map(key, line.rstrip("\n").split("\t"))
        print("<" if left < right else ">" if left > right else "=")
    except ValueError:
        print("!")
