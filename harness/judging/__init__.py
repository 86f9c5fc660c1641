"""Models as judges: what they are shown and asked, and how their answers become marks."""

from harness.judging.case import Case, JudgeFailed, last_words, make_case
from harness.judging.hints import hints
from harness.judging.marks import rubric_digest, weighted_score
from harness.judging.panel import judge_work

__all__ = [
    "Case",
    "JudgeFailed",
    "hints",
    "judge_work",
    "last_words",
    "make_case",
    "rubric_digest",
    "weighted_score",
]
