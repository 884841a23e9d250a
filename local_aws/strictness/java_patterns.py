r"""Regular expressions in Java's syntax, as the patterns in AWS's models are, for Python's `regex`.

https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/regex/Pattern.html

What differs from Python and is translated:

- `\w`, `\d`, `\s`, `\p{Alpha}`, `\p{Print}` and their kind are ASCII, while `\p{L}` is Unicode's.
- A dot excludes `\r`, U+0085, U+2028 and U+2029 as well.
- `\uD800\uDC00` is one character beyond U+FFFF.
- A hyphen after a class is a hyphen: `[\w-_]`.
- `(?i)` holds from where it stands to the end of its group, for ASCII letters alone.
- `[a-z&&[^b]]` and nested classes, `\Q...\E`, `\x{1F600}`, `\0101`, `\cA`, `\e`, `\h`, `\z`.
"""

from __future__ import annotations

from functools import cache
from string import ascii_letters
from typing import NamedTuple

import regex

_LINE_ENDS = r"\n\r\u0085\u2028\u2029"
_CLASSES = {
    "d": "0-9",
    "s": r" \t\n\x0B\f\r",
    "w": "a-zA-Z_0-9",
    "h": r" \t\xA0\u1680\u180E\u2000-\u200A\u202F\u205F\u3000",
    "v": r"\n\x0B\f\r\x85\u2028\u2029",
}
"""Predefined classes; the capital letter of each is its complement."""

_PUNCTUATION = r"!-/:-@\[-`\{-~"
_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7F",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": _PUNCTUATION,
    "Graph": f"a-zA-Z0-9{_PUNCTUATION}",
    "Print": r"\x20-\x7E",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1F\x7F",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0B\f\r",
}
"""Java's POSIX classes: US-ASCII only."""

_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_AFTER_PARENTHESIS = regex.compile(r"\?(?:[:=!>]|<[=!]|<[A-Za-z][A-Za-z0-9]*>|(?P<flags>[a-zA-Z-]*)[:)])")
_QUANTIFIER = regex.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?")
_SURROGATES = regex.compile(r"\\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})")


class JavaPatternError(ValueError):
    """A pattern uses a syntax that is not translated."""


@cache
def compiled(pattern: str) -> regex.Pattern[str]:
    """Compile a pattern in Java's syntax, for `fullmatch`.

    Raises:
        JavaPatternError: The pattern is not valid, or uses a syntax that is not translated.
    """
    try:
        return regex.compile(_Translation(pattern).translated(), regex.VERSION1)
    except regex.error as error:
        raise JavaPatternError(f"{pattern!r} is no pattern in Java's syntax: {error}") from error


class _Class(NamedTuple):
    """Members of a class, without brackets."""

    text: str


class _Anchor(NamedTuple):
    """What matches no character of its own, or a group again."""

    text: str


class _Translation:
    """One pass over a pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        # Whether case is ignored, for each group that is open.
        self._ignores_case = [False]

    def translated(self) -> str:
        """The whole pattern in the syntax of `regex`."""
        parts: list[str] = []
        while self._at < len(self._pattern):
            parts.append(self._atom())
        return "".join(parts)

    def _atom(self) -> str:
        character = self._pattern[self._at]
        if character == "[":
            return self._class()
        if character == "\\":
            return self._outside(self._escape())
        if character == "(":
            return self._group()
        if character == ")" and len(self._ignores_case) > 1:
            self._ignores_case.pop()
        if quantifier := _QUANTIFIER.match(self._pattern, self._at):
            self._at = quantifier.end()
            return str(quantifier[0])
        self._at += 1
        if character == ".":
            return f"[^{_LINE_ENDS}]"
        return character if character in ")|^$" else self._outside(character)

    def _group(self) -> str:
        """The opening of a group; flags are left out, for `_cases` stands for them."""
        self._at += 1
        opening = _AFTER_PARENTHESIS.match(self._pattern, self._at)
        if not opening and self._pattern.startswith("?", self._at):
            raise self._error("a group")
        ignores_case = self._ignores_case[-1]
        text = opening[0] if opening else ""
        if opening and (flags := opening["flags"]):
            if flags not in ("i", "-i"):
                raise self._error("flags")
            ignores_case, text = flags == "i", "?:"
        self._at += len(opening[0]) if opening else 0
        if opening and opening[0].endswith(")"):
            self._ignores_case[-1] = ignores_case
            return ""
        self._ignores_case.append(ignores_case)
        return f"({text}"

    def _class(self) -> str:
        """A class in brackets: operands of `&&`, each a union of characters, ranges, escapes and classes."""
        self._at += 1
        negated = self._take("^")
        operands: list[list[str]] = [[]]
        empty = True
        while not self._pattern.startswith("]", self._at) or empty:
            if self._at >= len(self._pattern):
                raise self._error("a class without an end")
            if self._take("&&"):
                operands.append([])
            else:
                operands[-1].append(self._member())
            empty = False
        self._at += 1
        unions = [f"[{''.join(members)}]" for members in operands if members]
        inside = unions[0][1:-1] if len(unions) == 1 else "&&".join(unions)
        return f"[{'^' if negated else ''}{inside}]"

    def _member(self) -> str:
        """A class, characters, or a range of them."""
        if self._pattern.startswith("[", self._at):
            return self._class()
        first = self._piece()
        rest = self._pattern[self._at : self._at + 2]
        if not isinstance(first, str):
            return first.text
        if len(first) != 1 or rest[:1] != "-" or rest[1:] in ("]", "[", ""):
            return "".join(map(self._cases, first))
        self._at += 1
        last = self._piece()
        if not isinstance(last, str) or len(last) != 1:
            raise self._error("a range without an end")
        return _range(first, last, ignores_case=self._ignores_case[-1])

    def _piece(self) -> str | _Class:
        """The next characters of a class, or a class in it."""
        if self._pattern.startswith("\\", self._at):
            piece = self._escape()
            if isinstance(piece, _Anchor):
                raise self._error("an anchor in a class")
            return piece
        self._at += 1
        return self._pattern[self._at - 1]

    def _cases(self, character: str) -> str:
        """A character as a member of a class, in both cases where case is ignored."""
        return _range(character, character, ignores_case=self._ignores_case[-1])

    def _outside(self, piece: str | _Class | _Anchor) -> str:
        """What stands outside of a class."""
        if isinstance(piece, _Anchor):
            return piece.text
        if isinstance(piece, _Class):
            return f"[{piece.text}]"
        return "".join(f"[{self._cases(character)}]" for character in piece)

    def _escape(self) -> str | _Class | _Anchor:
        """What a backslash begins."""
        if pair := _SURROGATES.match(self._pattern, self._at):
            self._at = pair.end()
            high, low = int(pair["high"], 16), int(pair["low"], 16)
            return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)
        letter = self._pattern[self._at + 1 : self._at + 2]
        self._at += 2
        if letter in ("p", "P"):
            return self._property(negated=letter == "P")
        if letter and letter.lower() in _CLASSES:
            members = _CLASSES[letter.lower()]
            return _Class(f"[^{members}]" if letter.isupper() else members)
        if (code := self._code(letter)) is not None:
            return chr(code)
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "Q":
            quoted, _, _ = self._pattern[self._at :].partition("\\E")
            self._at += len(quoted) + 2
            return quoted
        return self._other(letter)

    def _other(self, letter: str) -> str | _Anchor:
        """An anchor, a reference to a group, or a character that needs no escape."""
        if letter in ("b", "B", "A", "G") or letter.isdigit():
            return _Anchor(f"\\{letter}")
        if letter in ("z", "Z"):
            return _Anchor(r"\Z")
        if letter == "k" and (name := self._match(r"<[A-Za-z][A-Za-z0-9]*>")):
            return _Anchor(f"(?P={name[1:-1]})")
        if not letter or letter.isalpha():
            raise self._error(f"\\{letter}")
        return letter

    def _code(self, letter: str) -> int | None:
        """The code of a character that is given by its number."""
        forms = {"x": r"[0-9a-fA-F]{2}|\{[0-9a-fA-F]+\}", "u": "[0-9a-fA-F]{4}", "0": "[0-3]?[0-7]{1,2}"}
        if letter in forms and (digits := self._match(forms[letter])):
            return int(digits.strip("{}"), 8 if letter == "0" else 16)
        if letter == "c" and (control := self._match(r"[@-_]")):
            return ord(control) ^ 64
        return None

    def _property(self, *, negated: bool) -> _Class:
        name = self._match(r"\{\w+(?:=\w+)?\}|[A-Z]").strip("{}")
        if name in _POSIX:
            return _Class(f"[^{_POSIX[name]}]" if negated else _POSIX[name])
        if not name or name.startswith("java"):
            raise self._error(f"\\p{{{name}}}")
        return _Class(f"\\{'P' if negated else 'p'}{{{name.removeprefix('Is')}}}")

    def _take(self, text: str) -> bool:
        if self._pattern.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _match(self, form: str) -> str:
        match = regex.compile(form).match(self._pattern, self._at)
        if not match:
            return ""
        self._at = match.end()
        return str(match[0])

    def _error(self, what: str) -> JavaPatternError:
        return JavaPatternError(f"{self._pattern!r} has {what} at {self._at}, which is not translated")


def _literal(character: str) -> str:
    """A character that stands for itself in a class."""
    return character if character.isalnum() else f"\\U{ord(character):08x}"


def _range(first: str, last: str, *, ignores_case: bool) -> str:
    """A range as members of a class; Java ignores the case of ASCII letters alone."""
    text = _literal(first) if first == last else f"{_literal(first)}-{_literal(last)}"
    if ignores_case:
        text += "".join(letter.swapcase() for letter in ascii_letters if first <= letter <= last)
    return text
