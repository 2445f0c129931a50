"""Compares versions as apk-tools documents it: reads lines `A<TAB>B`, writes `<`, `=`, `>`, or `!` for an invalid one.

There is no apk to ask, so this is a second reading of the rules: one regular expression and one sort key, which share
nothing with the tokens of the program under test.
"""

import re
import sys

WORDS = ["alpha", "beta", "pre", "rc", None, "cvs", "svn", "git", "hg", "p"]
GRAMMAR = re.compile(
    r"([0-9]+)((?:\.[0-9]+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)(~[0-9a-f]+)?(?:-r([0-9]+))?"
)
# What a version has next, from the least to the greatest: a pre-release is the only thing below nothing.
PRE, NOTHING, REVISION, HASH, SUFFIX_NUMBER, POST, LETTER, NUMBER = range(8)


def key(version):
    match = GRAMMAR.fullmatch(version)
    if not match:
        raise ValueError(version)
    first, numbers, letter, suffixes, commit, revision = match.groups()
    parts = [(0, int(first), "")]
    for number in numbers.split(".")[1:]:
        # With a leading zero it is a fraction: below all whole numbers, in the order of its text.
        parts.append((NUMBER, -1, number) if number[0] == "0" else (NUMBER, int(number), ""))
    if letter:
        parts.append((LETTER, ord(letter), ""))
    for suffix in suffixes.split("_")[1:]:
        word = suffix.rstrip("0123456789")
        rank = WORDS.index(word)
        parts.append((PRE if rank < WORDS.index(None) else POST, rank, ""))
        if suffix != word:
            parts.append((SUFFIX_NUMBER, int(suffix[len(word) :]), ""))
    if commit:
        parts.append((HASH, 0, commit))
    if revision is not None:
        parts.append((REVISION, int(revision), ""))
    parts.append((NOTHING, 0, ""))
    return parts


for line in sys.stdin:
    try:
        left, right = map(key, line.rstrip("\n").split("\t"))
        print("<" if left < right else ">" if left > right else "=")
    except ValueError:
        print("!")
