"""One code for values and variables: what Python makes of values, Terraform makes of the expressions."""

from __future__ import annotations

import ast
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import given as drawn_from
from hypothesis import strategies as st
from pydantic import BaseModel

from synthesis.functions import choose, contains, given, is_null, is_set, length, matches, not_
from synthesis.lists import all_of, collect
from synthesis.literals import hcl
from synthesis.typed import UndecidedError, settings_of, typed
from tests.support.console import evaluated
from tests.support.project import ROOT

WRITTEN = ["a", "b", '"', "a\\nb", "a\nb", ""]
NAMES = [*WRITTEN, "${a}", "%{if a}"]
"""A name of a file is text; in what is written in Python, ``${}`` is an expression."""


class Part(BaseModel):
    size: int
    label: str | None


class Whole(BaseModel):
    count: int
    share: float
    name: str
    nickname: str | None
    open: bool
    sizes: list[int]
    part: Part | None


Condition = Callable[[Any], Any]


def conditions() -> st.SearchStrategy[tuple[str, Condition]]:
    """What rules and constructs ask of settings, with words to read when it fails."""
    numbers, names = st.integers(-3, 3), st.sampled_from(WRITTEN)
    leaves = st.one_of(
        numbers.map(lambda n: (f"count >= {n}", lambda it: it.count >= n)),
        numbers.map(lambda n: (f"{n} - count * 2 < share", lambda it: n - it.count * 2 < it.share)),
        numbers.map(lambda n: (f"(count + 1) / 2 == {n}", lambda it: (it.count + 1) / 2 == n)),
        names.map(lambda s: (f"name == {s!r}", lambda it: it.name == s)),
        names.map(lambda s: (f"nickname != {s!r}", lambda it: it.nickname != s)),
        names.map(lambda s: (f"[name, {s!r}] has a", lambda it: contains([it.name, s], "a"))),
        st.just(("open", lambda it: it.open)),
        st.just(("open == False", lambda it: it.open == False)),  # noqa: E712  # builds an expression
        st.just(("no part", lambda it: is_null(it.part))),
        st.just(("a nickname", lambda it: is_set(it.nickname))),
        numbers.map(lambda n: (f"{n} sizes", lambda it: length(it.sizes) == n)),
        numbers.map(
            lambda n: (f"all sizes over {n}", lambda it: all_of(it.sizes, lambda size: size > n))
        ),
        numbers.map(
            lambda n: (f"sizes over {n}", lambda it: length(collect(it.sizes, str, lambda s: s > n)) > 1)
        ),
        numbers.map(
            lambda n: (
                f"a part of more than {n}",
                lambda it: given(it.part, lambda part: part.size > n, otherwise=False),
            )
        ),
        st.just(
            (
                "the part's label",
                lambda it: given(
                    it.part, lambda part: given(part.label, lambda text: matches("^[ab]$", text), otherwise=True),
                    otherwise=False,
                ),
            )
        ),
    )  # fmt: skip

    def joined(below: st.SearchStrategy[tuple[str, Condition]]) -> st.SearchStrategy[tuple[str, Condition]]:
        return st.one_of(
            st.tuples(below, below).map(
                lambda two: (f"({two[0][0]} & {two[1][0]})", lambda it: two[0][1](it) & two[1][1](it))
            ),
            st.tuples(below, below).map(
                lambda two: (f"({two[0][0]} | {two[1][0]})", lambda it: two[0][1](it) | two[1][1](it))
            ),
            below.map(lambda one: (f"not {one[0]}", lambda it: not_(one[1](it)))),
            st.tuples(below, below).map(
                lambda two: (
                    f"({two[0][0]} ? count : 2) > 1 == {two[1][0]}",
                    lambda it: (choose(two[0][1](it), it.count, 2) > 1) == two[1][1](it),
                )
            ),
        )

    return st.recursive(leaves, joined, max_leaves=6)


def wholes() -> st.SearchStrategy[Whole]:
    names = st.sampled_from(NAMES)
    parts = st.builds(Part, size=st.integers(-3, 3), label=st.none() | names)
    return st.builds(
        Whole,
        count=st.integers(-3, 3), share=st.sampled_from([-1.5, 0.0, 2.25]), name=names, nickname=st.none() | names,
        open=st.booleans(), sizes=st.lists(st.integers(-3, 3), max_size=3), part=st.none() | parts,
    )  # fmt: skip


def literal(value: object) -> str:
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")


# One Terraform for many draws; it is too slow to look for the smallest that fails.
@settings(max_examples=5, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@drawn_from(st.lists(st.tuples(conditions(), wholes()), min_size=40, max_size=80))
def test_a_condition_means_the_same_of_values_and_of_expressions(
    cases: list[tuple[tuple[str, Condition], Whole]],
) -> None:
    texts = []
    for (_, condition), whole in cases:
        expressions = {
            name: typed(field.annotation, literal(whole.model_dump()[name]))
            for name, field in Whole.model_fields.items()
        }
        texts.append(hcl(condition(settings_of(Whole, expressions))))
    with tempfile.TemporaryDirectory() as folder:
        answers = evaluated(f"[{', '.join(texts)}]", Path(folder))
    said = [(words, whole, bool(condition(whole))) for (words, condition), whole in cases]
    assert said == [
        (words, whole, answer) for ((words, _), whole), answer in zip(cases, answers, strict=True)
    ]


@pytest.mark.parametrize(
    ("expected", "made"),
    [
        ("var.open", lambda it: True & it.open),
        ("false", lambda it: it.open & False),
        ("true", lambda it: True | it.open),
        ("!var.open", lambda it: it.open == False),  # noqa: E712
        ("var.part != null", lambda it: not_(is_null(it.part))),
        ('var.name == "x" ? 1 : var.count', lambda it: choose(it.name == "x", 1, it.count)),
        ("(var.count + 1) * 2 > 3 && var.open", lambda it: ((it.count + 1) * 2 > 3) & it.open),
        ("2 - (var.count - 1)", lambda it: 2 - (it.count - 1)),
        ("!(var.open || var.count > 1)", lambda it: not_(it.open | (it.count > 1))),
        ('"${var.name}-x"', lambda it: f"{it.name}-x"),
        ('"${var.count} of ${var.name}"', lambda it: f"{it.count} of {it.name:s}"),
        ("var.part.size", lambda it: it.part.size),
    ],
)
def test_an_expression_is_folded_and_has_no_needless_brackets(expected: str, made: Condition) -> None:
    variables = {name: typed(field.annotation, f"var.{name}") for name, field in Whole.model_fields.items()}
    assert hcl(made(settings_of(Whole, variables))) == expected


@pytest.mark.parametrize(
    "decides",
    [
        lambda it: it.open and it.count > 1,
        lambda it: it.count > 1 or it.open,
        lambda it: not it.open,
        lambda it: 1 if it.name == "a" else 2,
        lambda it: it.name in ("a", "b"),
        lambda it: "a" in it.name,
        lambda it: 1 in it.sizes,
        lambda it: list(it.sizes),
        lambda it: it.count < 1 < it.share,
    ],
)
def test_what_python_would_decide_raises_and_names_the_line(decides: Condition) -> None:
    variables = {name: typed(field.annotation, f"var.{name}") for name, field in Whole.model_fields.items()}
    line = decides.__code__.co_firstlineno
    with pytest.raises(
        UndecidedError, match=rf"test_typed\.py:{line}: var\.\w+.* is known to Terraform alone"
    ):
        decides(settings_of(Whole, variables))


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("modules/**/*.py")) + sorted(ROOT.glob("environments/*.py")), ids=str
)
def test_a_rule_leaves_nothing_to_python(file: Path) -> None:
    assert [f"{file}:{line}" for line in decided_by_python(file.read_text())] == []


def decided_by_python(text: str) -> Iterator[int]:
    """The lines where a rule's lambda has ``is None``, ``and``, ``or``, ``not``, ``in`` or ``if``."""
    for call in ast.walk(ast.parse(text)):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in {"Rule", "CrossRule", "ItemRule"}:
            for node in (
                inner for part in call.args if isinstance(part, ast.Lambda) for inner in ast.walk(part)
            ):
                is_none = isinstance(node, ast.Compare) and isinstance(
                    node.ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn
                )
                is_not = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
                if is_none or is_not or isinstance(node, ast.BoolOp | ast.IfExp):
                    yield node.lineno


def test_the_lint_finds_what_python_would_decide() -> None:
    text = 'CrossRule(("a",), "", lambda it: it.a is None)\nRule("", lambda v: not v)\nRule("", lambda v: is_null(v))\n'
    assert [*decided_by_python(text)] == [1, 2]
