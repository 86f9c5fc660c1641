"""Files of agents that are command lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.domain.command_line import EntryRule, UsageRule
from harness.domain.model import Api
from harness.domain.session import Role
from harness.errors import BadFile, UsageError
from harness.load.agents import find_agent, load_agent

FULL = """\
description: An agent of the image
command: mini -m openai/{model} -t {prompt} | awk '{print}'
api: chat
env: {MINI_SILENT: "1"}
output:
  format: jsonl
  entries:
    - {when: {type: say, meta.partial: false}, role: assistant, text: message.content.0.text}
    - {role: tool_result, text: output, tool: tool.name, error: failed}
  usage: {input_tokens: usage.in, cost_usd: cost}
  error: error.message
"""


def written(root: Path, text: str, name: str = "mini") -> Path:
    path = root / "agents" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_found_by_its_name(tmp_path: Path) -> None:
    written(tmp_path, FULL)
    line = find_agent(tmp_path, "mini")
    assert (line.name, line.api, line.env) == ("mini", Api.CHAT, (("MINI_SILENT", "1"),))
    assert line.command == "mini -m openai/{model} -t {prompt} | awk '{print}'"
    assert line.placeholders == {"model", "prompt"}
    assert line.output is not None
    assert line.output.entries == (
        EntryRule(
            ((("type",), "say"), (("meta", "partial"), False)),
            Role.ASSISTANT,
            ("message", "content", "0", "text"),
        ),
        EntryRule((), Role.TOOL_RESULT, ("output",), ("tool", "name"), ("failed",)),
    )
    assert line.output.usage == UsageRule(input_tokens=("usage", "in"), cost_usd=("cost",))
    assert line.output.error == ("error", "message")


def test_the_least_is_a_command(tmp_path: Path) -> None:
    line = load_agent(written(tmp_path, "command: ruff format\n", "fmt"))
    assert (line.name, line.api, line.output, line.env) == ("fmt", None, None, ())
    text = load_agent(written(tmp_path, "command: x\noutput: {format: text}\n"))
    assert text.output is None


def test_its_digest_changes_with_everything_but_its_description(tmp_path: Path) -> None:
    base = load_agent(written(tmp_path, FULL)).digest
    assert load_agent(written(tmp_path, FULL.replace("of the image", "of mine"))).digest == base
    for old, new in (("-t", "-p"), ("chat", "responses"), ('"1"', '"2"'), ("usage.in", "usage.i")):
        assert load_agent(written(tmp_path, FULL.replace(old, new))).digest != base


def test_a_name_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    written(tmp_path, FULL)
    with pytest.raises(UsageError, match=r"no agent 'mimi' in .*agents; did you mean 'mini'\?"):
        find_agent(tmp_path, "mimi")
    with pytest.raises(UsageError, match=r"needs a name, as in command:NAME; there is 'mini'"):
        find_agent(tmp_path, None)
    with pytest.raises(UsageError, match="there is none"):
        find_agent(tmp_path / "elsewhere", "mini")


def test_a_path_is_taken_as_one(tmp_path: Path) -> None:
    path = written(tmp_path, FULL, "other")
    assert find_agent(tmp_path / "elsewhere", str(path)).name == "other"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("api: chat\n", "'command' is missing"),
        ("command: ''\n", "'' is too short"),
        ("command: x\ncomand: y\n", "unknown key 'comand'; did you mean 'command'?"),
        ("command: x\napi: chatt\n", "'chatt' is unknown here; did you mean 'chat'?"),
        ("command: x\nenv: {A-B: x}\n", "is not the name of a variable"),
        ("command: x\nenv: {A: 1}\n", "1 is not text"),
        ("command: x\noutput: {format: xml}\n", "'xml' is unknown here"),
        ("command: x\noutput: {entries: []}\n", "'format' is missing"),
        (
            "command: x\noutput: {format: jsonl, entries: [{role: user, text: a}]}\n",
            "'user' is unknown here",
        ),
        (
            "command: x\noutput: {format: jsonl, error: a..b}\n",
            "'a..b' is not a path of keys such as message.content.0.text",
        ),
        (
            "command: x\noutput: {format: text, error: a}\n",
            "'error' belongs to the format 'jsonl'",
        ),
        ("command: x -m {model}\n", "it names a model; say by 'api' what it speaks to it"),
        ("- x\n", "is not a mapping"),
        ("", "the file is empty"),
    ],
)
def test_every_mistake_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadFile) as caught:
        load_agent(written(tmp_path, text))
    assert words in str(caught.value)
