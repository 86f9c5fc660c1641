from __future__ import annotations

import pytest

from harness.domain.template import DocumentRef, Enrichment
from harness.specialists.documents import CHARS_PER_TOKEN, choose, mentions, rank


def a_document(name: str, kind: str | None = None, **enrichment: object) -> DocumentRef:
    return DocumentRef(name, kind, "", Enrichment(**enrichment) if enrichment else None)  # type: ignore[arg-type]  # a test's own


def order(*documents: DocumentRef, task: str | None = None, text: str = "") -> list[str]:
    return [ranked.document.location for ranked in rank(documents, task, text)]


def test_a_document_for_the_task_comes_first() -> None:
    other = a_document("other", "official", relevant_for_tasks=("testing",))
    fitting = a_document("fitting", relevant_for_tasks=("bug_fix",))
    assert order(other, fitting, task="bug_fix") == ["fitting", "other"]
    assert order(other, fitting, task="testing") == ["other", "fitting"]


def test_what_the_prompt_mentions_counts() -> None:
    stack = a_document("stack", relevant_tech_stack=("Next.js 15",))
    tag = a_document("tag", relevant_tags=("server-components",))
    concept = a_document("concept", key_concepts=("hydration",))
    text = "A Next.js app with server components; hydration fails."
    assert order(concept, tag, stack, text=text) == ["stack", "tag", "concept"]
    assert order(concept, tag, stack, text="Nothing.") == ["concept", "tag", "stack"]


def test_among_equals_the_templates_order_holds() -> None:
    assert order(*map(a_document, "cab")) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("ant", "I want", False),
        ("Ant", "an ant", True),
        ("app-router", "the App Router", True),
        ("React 19", "in React", True),
        ("React 19", "Reaction", False),
        ("C++", "in C++.", True),
    ],
)
def test_names_are_found_as_whole_words(name: str, text: str, *, found: bool) -> None:
    assert mentions(text, name) is found


def test_everything_that_a_model_drew_from_a_document_is_told() -> None:
    document = a_document(
        "doc",
        summary="A summary.",
        key_concepts=("one", "two"),
        code_patterns=("f(x)",),
        relevance="It matters.",
        use_cases=("testing",),
    )
    (item,) = choose([document], 1000).items
    assert item == (
        "doc\nA summary.\nIt matters.\nKey concepts: one; two\nFor: testing\nPattern: f(x)"
    )


def test_what_does_not_fit_is_told_in_a_line_or_left_out() -> None:
    long = "x" * 10 * CHARS_PER_TOKEN
    first = a_document("first", "official", summary=long)
    second = a_document("second", "reference", summary=long)
    third = a_document("third" * 10)

    chosen = choose([first, second, third], 14)

    assert [item.split("\n")[0] for item in chosen.items] == ["first", "second"]
    assert chosen.items[1] == "second"
    assert chosen.told == ("first", "second")
    assert chosen.left_out == (
        "second: its summary, no room in 14 tokens",
        f"{'third' * 10}: no room in 14 tokens",
    )
    assert choose([first], 0).items == ()
