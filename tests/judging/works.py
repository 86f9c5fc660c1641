"""Work to be judged, made of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.domain.patch import Patch
from harness.domain.rubric import Category, Rubric
from harness.judging import Case
from harness.llm.base import NO_DEADLINE, Message, ToolSpec, Turn, User
from harness.patches import parse_patch
from harness.testing.judge import JudgeDouble

JUDGE = "anthropic:judge"
CATEGORIES = (
    Category("Correctness", 0.6, "It works.", ((1, "no"), (5, "yes"))),
    Category("Tests & style", 0.4),
)
RUBRIC = Rubric(CATEGORIES, (JUDGE,))
WORK = {"src/sums.py": "def total(items):\n    return sum(items)\n"}


def added(files: Mapping[str, str]) -> bytes:
    """A patch in which every file is new."""
    parts = []
    for name, text in files.items():
        lines = text.removesuffix("\n").split("\n")
        head = f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
        body = "".join(f"+{line}\n" for line in lines)
        parts.append(f"{head}@@ -0,0 +1,{len(lines)} @@\n{body}")
    return "".join(parts).encode("utf-8", "surrogateescape")


def patch(files: Mapping[str, str]) -> Patch:
    """The same, read."""
    return parse_patch(added(files))


def a_case(files: Mapping[str, str] | None = None) -> Case:
    """A case of new files only."""
    return Case("Please mend the sums.", patch(WORK if files is None else files))


@dataclass(slots=True)
class Says:
    """Says what it was given, one after the other, then what the double says."""

    replies: list[str | Turn | Exception]
    wanted: tuple[str, ...] = ()
    heard: list[list[Message]] = field(default_factory=list)

    def send(
        self,
        system: str | None,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        timeout_s: float = NO_DEADLINE,
    ) -> Turn:
        """The next reply."""
        self.heard.append(list(messages))
        reply = self.replies.pop(0) if self.replies else None
        if isinstance(reply, Exception):
            raise reply
        if reply is None:
            return JudgeDouble(self.wanted).send(system, messages, tools, timeout_s=timeout_s)
        return Turn(reply) if isinstance(reply, str) else reply

    @property
    def asked(self) -> list[str]:
        """What was said to it last."""
        return [m.text for m in self.heard[-1] if isinstance(m, User)]
