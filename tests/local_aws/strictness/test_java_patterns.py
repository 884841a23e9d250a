"""Patterns in Java's syntax: expected results are those of OpenJDK 17's `Pattern.matches`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from moto.core.utils import get_service_model

from local_aws.strictness.java_patterns import JavaPatternError, compiled
from local_aws.template import SERVICES

BEYOND = "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*"
TAG = "([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)"
BUDGET = "^(?![^:\\\\]*/action/|(?i).*<script>.*</script>.*)[^:\\\\]+$"


@pytest.mark.parametrize(
    ("pattern", "matches", "refuses"),
    [
        (TAG, ["", "Ünïcode ٣", "a_b.c:d/e=f+g-h@i"], ["a&b", "a\n", "😀"]),
        (BEYOND, ["", "a\tb", "😀", "\ufffd"], ["\x00", "\uffff"]),
        (r"\p{Print}+", ["a b~"], ["é", "a\n", "\x7f"]),
        (r"\p{ASCII}+", ["\x00\x7f"], ["é"]),
        (r"[\w-_]*", ["a-b_9"], ["é", "٣", "."]),
        (r"role\/[\w-\/.@+=,]{1,3}", ["role/a-/"], ["role/", "role/a b"]),
        (BUDGET, ["a budget", "<script>"], ["a:b", "x/action/y", "<SCRIPT>x</script>"]),
        (r"a(?i)b|c", ["ab", "aB", "c", "C"], ["Ab", "A"]),
        (r"(a(?i)b)c", ["aBc"], ["aBC", "ABc"]),
        (r"(?i)[j-l]_k", ["K_K", "j_k"], ["\u212a_k", "K-K"]),
        (r"(?i:a)(?-i)b", ["Ab"], ["AB"]),
        (r"a++b", ["aab"], ["b"]),
        (r"a++a", [], ["aa", "aaa"]),
        (r"(?>a|ab)c", ["ac"], ["abc"]),
        (r"[a-z&&[^b-d]]+", ["aez"], ["b", "ab"]),
        (r"[a-d&&b-f]+", ["bcd"], ["a", "e"]),
        (r"[\p{L}&&[^\p{Lu}]]+", ["é"], ["É", "1"]),
        (r"[a-c[x-z]]+", ["axz"], ["d"]),
        (r"[^a-c[x-z]]", ["d", "m"], ["a", "x"]),
        (r"[\w--]+", ["a-"], ["."]),
        (r"[a||b~~]+", ["a|b~"], ["c"]),
        (r"[]a]+", ["]a"], ["b"]),
        (r".", ["a", "😀"], ["\n", "\r", "\u0085", "\u2028"]),
        (r"\d\s", ["1 ", "1\t"], ["٣ ", "1\u3000"]),
        (r"\h+", ["\t\u3000"], ["\n"]),
        (r"\Qa.b\E+", ["a.b", "a.bb"], ["axb"]),
        (r"\x{1F600}\0101\x42\cA", ["😀AB\x01"], ["😀AB"]),
        (r"(?<n>a|b)\k<n>\1", ["aaa"], ["aab"]),
        (r"^a$", ["a"], ["a\n"]),
    ],
)  # fmt: skip
def test_a_pattern_matches_as_in_java(pattern: str, matches: list[str], refuses: list[str]) -> None:
    found = compiled(pattern)
    assert [text for text in matches if not found.fullmatch(text)] == []
    assert [text for text in refuses if found.fullmatch(text)] == []


@pytest.mark.parametrize(
    "pattern", [r"\p{javaLowerCase}", r"(?x)a b", r"[a-\w]", r"[a", "(a", r"a\y", r"[\b]"]
)
def test_what_is_not_translated_is_an_error(pattern: str) -> None:
    with pytest.raises(JavaPatternError):
        compiled(pattern)


@cache
def patterns() -> dict[str, list[str]]:
    """Every pattern of every service that the stacks use, with the shapes that have it."""
    found: dict[str, list[str]] = {}
    for service, name, pattern in _patterns():
        found.setdefault(pattern, []).append(f"{service}.{name}")
    return found


def _patterns() -> Iterator[tuple[str, str, str]]:
    for service in SERVICES:
        model = get_service_model(service)
        for name in model.shape_names:
            if pattern := model.shape_for(name).metadata.get("pattern"):
                yield service, name, pattern


def test_every_pattern_of_the_services_compiles() -> None:
    failed = {}
    for pattern, shapes in patterns().items():
        try:
            compiled(pattern)
        except JavaPatternError as error:
            failed[str(error)] = shapes
    assert failed == {}
    assert len(patterns()) > 300, "the models' patterns are not found"
    assert r"\p{Print}+" in patterns()
