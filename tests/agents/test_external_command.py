"""A command line of the image as an agent, in a real sandbox; its model is a provider's double."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from harness.agents.base import Task, supervise
from harness.agents.command_agent import CommandAgent
from harness.domain.command_line import CommandLine, EntryRule, JsonLines
from harness.domain.ids import Digest
from harness.domain.model import Api, ModelRef
from harness.domain.session import Ending, Role
from harness.errors import UsageError
from harness.sandbox.engine import connect
from harness.testing.provider import Says, plays
from tests.agents.inside import Engine

pytestmark = pytest.mark.docker

CLIENT = """
import json, os, sys, urllib.request
body = {"model": sys.argv[1], "messages": [{"role": "user", "content": sys.argv[2]}]}
headers = {"authorization": "Bearer " + os.environ["OPENAI_API_KEY"],
           "content-type": "application/json"}
url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
request = urllib.request.Request(url, json.dumps(body).encode(), headers)
answer = json.load(urllib.request.urlopen(request))
open("made.txt", "w").write(answer["choices"][0]["message"]["content"])
print(json.dumps(answer))
"""
LINE = CommandLine(
    "client",
    f"python3 -c {shlex.quote(CLIENT)} {{model}} {{prompt}}",
    Digest("d"),
    api=Api.CHAT,
    output=JsonLines((EntryRule((), Role.ASSISTANT, ("choices", "0", "message", "content")),)),
)
TASK = Task("Say 'it' \"twice\".", iteration=1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(connect(), tmp_path_factory.mktemp("root"))


def test_a_program_of_the_image_reaches_its_model_and_nothing_else(engine: Engine) -> None:
    agent = CommandAgent(LINE, ModelRef("openai", "gpt-double"))
    with engine.bench(agent, plays(Says("it it"))) as (bench, double):
        done = supervise(agent, TASK, bench)
        made = bench.context.box.run("cat made.txt; ls /sys/class/net", timeout_s=20).stdout
    assert done.ending is Ending.FINISHED, done.detail
    assert done.transcript[-1].text == "it it"
    assert made.split() == ["it", "itlo"]
    (seen,) = double.completions
    assert seen.body["model"] == "gpt-double"
    assert seen.body["messages"][0]["content"] == TASK.prompt


def test_a_program_that_the_image_does_not_have_is_named(engine: Engine) -> None:
    agent = CommandAgent(replace(LINE, command="no-such-agent {prompt}"), ModelRef("openai", "g"))
    with (
        engine.bench(agent, plays()) as (bench, _),
        pytest.raises(UsageError, match="no-such-agent: not found; install it there"),
    ):
        supervise(agent, TASK, bench)


def test_a_command_without_a_model_works_where_there_is_no_gateway(engine: Engine) -> None:
    line = CommandLine("fmt", "echo formatted > made.txt; cat made.txt", Digest("d"))
    agent = CommandAgent(line, None)
    with engine.bench(agent, None) as (bench, _):
        done = supervise(agent, TASK, bench)
    assert (done.ending, done.transcript[-1].text) == (Ending.FINISHED, "formatted")
