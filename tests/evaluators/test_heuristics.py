from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.heuristics import HeuristicsEvaluator
from evaluators.reading import Reader
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.heuristics import Heuristic, HeuristicKind
from harness.domain.ids import Digest
from harness.domain.record import CheckResult, Control
from harness.domain.scenario import CheckSpec
from harness.evaluate import Evidence
from harness.sandbox.base import Completed
from harness.testing.builders import a_scenario
from harness.testing.sandbox import Answer, FakeBox
from harness.testing.store import MemoryArtifacts

CHECK = CheckSpec("heuristic_checks", "heuristic_checks", 1.0)
FIXTURE = {
    "package.json": '{"scripts": {"a.b": "x"}, "list": [{"n": 1}], "none": null, "type": "module"}',
    "tsconfig.json": '{/* strict */ "strict": true,}',
    "pyproject.toml": '[tool.ruff]\nselect = ["ALL"]\n',
    "ci.yaml": "jobs:\n  test: {steps: [lint, test]}\n",
    "app/page.tsx": "'use client'\nexport default function Page() { useState(0) }\n",
    "app/[slug]/page.tsx": "export default async function Slug() {}\n",
    "pages/index.js": "export function getServerSideProps() {}\n",
    ".hidden/page.tsx": "getInitialProps\n",
    "node_modules/x/page.tsx": "getInitialProps\n",
    "broken.json": "{",
    "bom.json": '\ufeff{"a": 1}',
    "big.txt": "x" * (4 * 1024 * 1024 + 1),
    "long.txt": "a" * 200,
}
FAILED, ABSENT_PROGRAM = Completed(1, "", "no", 0.1), Completed(127, "", "not found", 0.1)


def pattern(file: str, regex: str, *, absent: bool = False, flags: str = "") -> Heuristic:
    kind = HeuristicKind.PATTERN
    return Heuristic(kind, "n", file=file, pattern=regex, absent=absent, flags=flags)


def files(path: str, *, absent: bool = False) -> Heuristic:
    return Heuristic(HeuristicKind.FILE, "n", file=path, absent=absent)


def at(
    file: str, *path: str | int, equals: str | None = None, absent: bool = False, section: str = ""
) -> Heuristic:
    kind = HeuristicKind.STRUCTURED
    place, head = path or None, section or None
    return Heuristic(kind, "n", file=file, path=place, equals=equals, section=head, absent=absent)


def command(line: str = "pnpm build", *, absent: bool = False, name: str = "n") -> Heuristic:
    return Heuristic(HeuristicKind.COMMAND, name, command=line, absent=absent)


def evidence_of(
    folder: Path,
    *items: Heuristic,
    changes: tuple[Change, ...] = (),
    answers: Mapping[str, Answer] | None = None,
) -> Evidence:
    scenario = replace(a_scenario(folder, files=FIXTURE), heuristics=items)
    box = FakeBox({}, answers or {})
    return Evidence(scenario, Changes(changes), box, (), None, {}, MemoryArtifacts().put)


def judge(evidence: Evidence) -> CheckResult:
    return HeuristicsEvaluator(lambda: Reader(deadline_s=1)).judge(evidence, CHECK)


FACTS = [
    (files("app"), True),
    (files("app/"), True),
    (files("app/page.tsx"), True),
    (files("app/**/*.{ts,tsx}"), True),
    (files("app/[slug]/page.tsx"), True),
    (files("*.tsx"), False),
    (files("next.config.js"), False),
    (files("next.config.js", absent=True), True),
    (files("pages/*.js", absent=True), False),
    (pattern("app/**/*.tsx", "export default|export async function"), True),
    (pattern("app/*.tsx", "export default async"), False),
    (pattern("app/page.tsx", "^['\"]use client['\"]"), True),
    (pattern("app/page.tsx", "^export"), False),
    (pattern("app/page.tsx", "^EXPORT", flags="im"), True),
    (pattern("app/page.tsx", r"(?<q>['\"])use client\k<q>"), True),
    (pattern("app/page.tsx", r"\}$"), False),
    (pattern("app/page.tsx", r"client[^]*Page"), True),
    (pattern("app/**/*.tsx", "getInitialProps", absent=True), True),
    (pattern("**/*.tsx", "getInitialProps", absent=True), True),
    (pattern(".hidden/*.tsx", "getInitialProps", absent=True), False),
    (pattern("node_modules/**/*.tsx", "getInitialProps"), True),
    (pattern("pages/**", "getServerSideProps", absent=True), False),
    (pattern("nothing/**", "x"), False),
    (pattern("nothing/**", "x", absent=True), False),
    (pattern("app", "x", absent=True), False),
    (pattern("*.txt", "y", absent=True), False),
    (pattern("*.txt", "aaa"), True),
    (at("package.json", "scripts", "a.b"), True),
    (at("package.json", "list", 0, "n", equals="1"), True),
    (at("package.json", "list", "0", "n"), True),
    (at("package.json", "list", 1), False),
    (at("package.json", "none"), False),
    (at("package.json", "none", equals="null"), True),
    (at("package.json", "type", equals='"commonjs"'), False),
    (at("package.json", "type", equals='"commonjs"', absent=True), True),
    (at("package.json", "scripts", absent=True), False),
    (at("package.json", "webpack", absent=True), True),
    (at("gone.json", "webpack", absent=True), False),
    (at("broken.json", "webpack", absent=True), False),
    (at("bom.json", "a"), True),
    (at("tsconfig.json", "strict", equals="true"), True),
    (at("pyproject.toml", "tool", "ruff", "select", 0, equals='"ALL"'), True),
    (at("pyproject.toml", section="[tool.ruff]"), True),
    (at("pyproject.toml", section="[tool.mypy]"), False),
    (at("pyproject.toml", section="[tool.mypy]", absent=True), True),
    (at("pyproject.toml", "tool", "ruff", section="[tool.mypy]"), False),
    (at("ci.yaml", "jobs", "test", "steps", 1, equals='"test"'), True),
    (at("ci.yaml"), True),
    (at("ci.yaml", absent=True), False),
    (at("big.txt", "a", absent=True), False),
    (command("make good"), True),
    (command("make bad"), False),
    (command("make good", absent=True), False),
    (command("make bad", absent=True), True),
    (command("make slow", absent=True), False),
]


def test_each_fact_holds_or_not(tmp_path: Path) -> None:
    items = [replace(item, name=f"n{index}") for index, (item, _) in enumerate(FACTS)]
    answers = {"make bad": FAILED, "make slow": Completed(None, "", "", 9.0)}
    result = judge(evidence_of(tmp_path, *items, answers=answers))
    wrong = [
        line
        for line, (_, holds) in zip(result.details, FACTS, strict=True)
        if line[0] != ("✓" if holds else "✗")
    ]
    assert wrong == []


def test_what_was_seen_is_told_with_its_weight(tmp_path: Path) -> None:
    items = (
        replace(pattern("app/**/*.tsx", "useState"), name="state", weight=3.0),
        replace(pattern("app/*", "useEffect", absent=True), name="no_effect", weight=0.5),
        replace(at("package.json", "type", equals='"x"'), name="type", description="is ESM"),
    )
    result = judge(evidence_of(tmp_path, *items))
    assert result.score == pytest.approx(3.5 / 4.5)
    assert result.details == (
        '✓ state (weight 3): app/page.tsx:2 has "useState"',
        "✓ no_effect (weight 0.5): nothing in app/page.tsx matches /useEffect/",
        '✗ type (weight 1): type is "module", not "x" (is ESM)',
    )


def test_files_are_those_that_the_agent_left(tmp_path: Path) -> None:
    changes = (
        Change(b"app/page.tsx", ChangeKind.FILE, data=b"export const metadata = {}"),
        Change(b"pages", ChangeKind.DELETE),
        Change(b"app/[slug]/page.tsx", ChangeKind.DELETE),
        Change(b"app/link", ChangeKind.SYMLINK, data=b"../app"),
        Change(b"app/out", ChangeKind.SYMLINK, data=b"../../etc"),
        Change(b"app/passwd", ChangeKind.SYMLINK, data=b"/etc/passwd"),
        Change(b"app/loop", ChangeKind.SYMLINK, data=b"loop"),
        Change(b"app/\xff.tsx", ChangeKind.FILE, data=b"\x00\xff caf\xc3\xa9"),
        Change(b"ci.yaml/new", ChangeKind.FILE, data=b"x"),
    )
    facts = [
        (pattern("app/page.tsx", "metadata"), True),
        (files("pages", absent=True), True),
        (files("app/[slug]", absent=True), True),
        (pattern("app/link/page.tsx", "metadata"), True),
        (files("app/out"), False),
        (files("app/passwd"), False),
        (files("app/loop"), False),
        (files("app/../app/page.tsx"), True),
        (files("../repo-fixture/app"), False),
        (pattern("app/*.tsx", "café"), True),
        (files("ci.yaml/new"), True),
    ]
    items = [replace(item, name=f"n{index}") for index, (item, _) in enumerate(facts)]
    result = judge(evidence_of(tmp_path, *items, changes=changes))
    wrong = [
        line
        for line, (_, holds) in zip(result.details, facts, strict=True)
        if line[0] != ("✓" if holds else "✗")
    ]
    assert wrong == []
    assert 'app/\\udcff.tsx:1 has "café"' in result.details[9]


@pytest.mark.parametrize("absent", [False, True])
def test_a_pattern_that_backtracks_for_ever_proves_nothing(tmp_path: Path, *, absent: bool) -> None:
    evil = pattern("long.txt", "(a+)+b", absent=absent)
    sound = replace(pattern("long.txt", "a$"), name="sound")
    evaluator = HeuristicsEvaluator(lambda: Reader(deadline_s=0.3))
    result = evaluator.judge(evidence_of(tmp_path, evil, sound), CHECK)
    assert result.details[0] == "✗ n (weight 1): cannot be told: took over 0.3 s"
    assert result.details[1].startswith("✓ sound")


def test_no_more_time_is_spent_on_hostile_texts_than_there_is(tmp_path: Path) -> None:
    items = [replace(pattern("long.txt", "(a+)+b"), name=f"n{index}") for index in range(50)]
    evaluator = HeuristicsEvaluator(lambda: Reader(deadline_s=0.2, budget_s=0.3))
    result = evaluator.judge(evidence_of(tmp_path, *items), CHECK)
    assert result.score == 0.0
    assert result.details[-1].endswith("the time for looking through files is used up")


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", "[" * 100_000), ("a.toml", "a=" + "[" * 100_000), ("a.yaml", "[" * 100_000),
     ("a.yaml", "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
         f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
     )),
     ("a.json5", "[" * 100_000), ("a.json", '{"a": ' + "9" * 9999 + "}")],
    ids=["json", "toml", "yaml", "aliases", "json5", "digits"],
)  # fmt: skip
def test_no_structured_file_of_an_agent_breaks_the_check(
    tmp_path: Path, name: str, text: str
) -> None:
    change = Change(name.encode(), ChangeKind.FILE, data=text.encode())
    result = judge(evidence_of(tmp_path, at(name, "z", absent=True), changes=(change,)))
    assert (result.score, result.crashed) == (0.0, False)
    assert "cannot be told" in result.details[0]


def test_a_script_comes_from_the_scenario_and_is_gone_afterwards(tmp_path: Path) -> None:
    item = Heuristic(HeuristicKind.SCRIPT, "s", script="check.sh", args=("a b",))
    (tmp_path / "check.sh").write_text("#!/bin/bash -e\ntrue\n")
    forged = Change(b"check.sh", ChangeKind.FILE, data=b"exit 0\n")
    seen: list[Mapping[str, bytes]] = []

    def answer(box: FakeBox) -> Completed:
        seen.append(dict(box.files))
        return FAILED

    evidence = evidence_of(tmp_path, item, changes=(forged,), answers={"/bin/bash": answer})
    result = judge(evidence)
    assert isinstance(evidence.box, FakeBox)
    ran, removed = evidence.box.asked
    found = re.fullmatch(r"/bin/bash -e (/tmp/[0-9a-f]{32})/check.sh 'a b'", ran)
    assert found
    assert seen[0] == {f"{found[1]}/check.sh": b"#!/bin/bash -e\ntrue\n"}
    assert removed == f"rm -rf -- {found[1]}"
    assert result.details == ("✗ s (weight 1): check.sh a b: exit code 1",)


@pytest.mark.parametrize(
    ("name", "text", "begin"),
    [
        ("a.py", "pass", "python3 /tmp/"),
        ("a.mjs", "", "node /tmp/"),
        ("a", "true", "sh /tmp/"),
        ("a.py", "#!/usr/bin/env -S python3 -I\n", "/usr/bin/env '-S python3 -I' /tmp/"),
    ],
)
def test_a_script_is_run_by_what_its_first_line_or_suffix_says(
    tmp_path: Path, name: str, text: str, begin: str
) -> None:
    (tmp_path / name).write_text(text)
    evidence = evidence_of(tmp_path, Heuristic(HeuristicKind.SCRIPT, "s", script=name))
    assert judge(evidence).score == 1.0
    assert isinstance(evidence.box, FakeBox)
    assert evidence.box.asked[0].startswith(begin)


def test_what_the_image_cannot_run_is_left_out_only_if_it_never_could(tmp_path: Path) -> None:
    items = (command("pnpm build"), replace(files("app"), name="app"))
    answers = {"pnpm": ABSENT_PROGRAM}
    evidence = evidence_of(tmp_path, *items, answers=answers)
    before = judge(replace(evidence, untouched=True))
    assert before.score == 1.0
    assert before.details[0].startswith("– n (weight 1): pnpm build: exit code 127")
    control = Control(Digest("0" * 64), (), (before,))
    assert judge(replace(evidence, control=control)).score == 1.0
    # it ran with the untouched fixture, so that it does not start now is the agent's doing
    ran = Control(Digest("0" * 64), (), (replace(before, findings=()),))
    assert judge(replace(evidence, control=ran)).score == 0.5
    assert judge(evidence).score == 0.5


def test_a_command_that_cannot_be_started_does_not_fail_as_it_should(tmp_path: Path) -> None:
    item = command("legacy", absent=True)
    assert judge(evidence_of(tmp_path, item, answers={"legacy": ABSENT_PROGRAM})).score == 0.0


def test_with_nothing_that_can_run_there_is_no_score(tmp_path: Path) -> None:
    assert judge(evidence_of(tmp_path)).score is None
    evidence = evidence_of(tmp_path, command(), answers={"pnpm": ABSENT_PROGRAM})
    result = judge(replace(evidence, untouched=True))
    assert result.reason == "could not run: none of the checks can run in this image"
    assert len(result.details) == 1


def test_what_commands_say_is_kept(tmp_path: Path) -> None:
    items = (command("make a"),)
    evidence = evidence_of(tmp_path, *items, answers={"make a": Completed(0, "said", "", 0.1)})
    store = MemoryArtifacts()
    result = judge(replace(evidence, keep=store.put))
    assert store.get(result.artifacts[0]) == b"--- n: make a\nsaid\n"


def test_a_reader_that_does_not_start_is_nobodys_zero(tmp_path: Path) -> None:
    evaluator = HeuristicsEvaluator(lambda: Reader(python="false"))
    with pytest.raises(RuntimeError, match="did not start"):
        evaluator.judge(evidence_of(tmp_path, pattern("long.txt", "a")), CHECK)
