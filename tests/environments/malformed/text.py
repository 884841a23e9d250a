"""Files that are no YAML, or not the plain YAML of environment files."""

from __future__ import annotations

SOUND = "name: a\nworkers: {w: {role: leaf}}\n"

NOT_YAML: dict[str, tuple[str | bytes, list[str]]] = {
    "empty": ("", ["is empty; must be"]),
    "comments alone": ("# nothing\n---\n", ["is empty; must be"]),
    "a list": ("- name: a\n", ['holds [{"name": "a"}]; must be a mapping']),
    "a word": ("name", ['holds "name"; must be a mapping']),
    "an open bracket": ("name: [a\n", ["line 2: is not YAML: expected ',' or ']'"]),
    "an open quote": ('name: "a\n', ["line 2: is not YAML: found unexpected end of stream"]),
    "two values": ("name: a: b\n", ["line 1: is not YAML: mapping values are not allowed here"]),
    "a tab": (
        "workers:\n\tw: {role: leaf}\n",
        ["line 2: is indented with a tab; must be indented with spaces"],
    ),
    "a NUL": ("name: a\nregion: \0\n", ['line 2: holds the control character "\\u0000"; must be']),
    "an escape sequence": ("name: \x1b[31m\n", ['line 1: holds the control character "\\u001b"; must be']),
    "an escaped escape sequence": (
        'name: "\\e[31m"\nworkers: {w: {role: leaf}}\n',
        ['name: got "\\u001b[31m"; must be'],
    ),
    "a latin letter": (
        "owner: Z\xfcrich\n".encode("latin-1"),
        ["line 1: holds the byte 0xfc; must be UTF-8 text"],
    ),
    "UTF-16": (SOUND.encode("utf-16"), ["line 1: holds the byte 0xff; must be UTF-8 text"]),
    "half a character": ('name: "\\uD800"\n', ["name: holds half of a character; must be"]),
    "no character": (
        'name: "\\UFFFFFFFF"\n',
        ["line 1: holds an escape that stands for no character; must be"],
    ),
    "two documents": (f"{SOUND}---\n{SOUND}", ["line 3: begins a second document; must be one document"]),
    "10 MB": ("#" * 10_000_000, ["has more than 100000 bytes; must be smaller"]),
    "deep brackets": ("[" * 50_000, ["line 1: is nested more than 30 deep; must be flatter"]),
    "a self-reference": ("workers: &w {w: *w}\n", ["workers.w: refers to itself; must not"]),
    "an unknown alias": ("name: *nobody\n", ["line 1: is not YAML: found undefined alias 'nobody'"]),
    "exploding anchors": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
        ),
        ["e[1][5][2][2][4]: holds more than 20000 values, its aliases written out; must hold fewer"],
    ),
    "a Python object": (
        f"{SOUND}region: !!python/object/apply:os.system [ls]\n",
        ["region: has the tag !!python/object/apply:os.system; must be plain data"],
    ),
    "a merged word": (f"{SOUND}tags: {{<<: a}}\n", ["tags: merges (<<) what is not a mapping; must be"]),
    "a key that is a list": (
        f"{SOUND}? [a]\n: b\n",
        ['line 3: has the key ["a"], which is not text; must be text'],
    ),
    "a key that is a number": (
        f"{SOUND}tags: {{1: a}}\n",
        ["tags: has the key 1, which is not text; must be text"],
    ),
    "a key twice": (
        f"{SOUND}region: us-east-1\nregion: eu-west-1\n",
        ["region: stands twice, in lines 3 and 4; must"],
    ),
    "a fleet twice": (
        "name: a\nworkers:\n  w: {role: leaf}\n  w: {role: fan}\n",
        ["workers.w: stands twice, in lines 3 and 4; must stand once"],
    ),
}
