"""Who can work: agents by name, made for a spec; imported when they are asked for."""
# ruff: noqa: PLC0415  # on-demand imports are what this module is for

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from harness.agents.base import Needs
from harness.domain.model import Api, ModelRef, ModelSettings, parse_model
from harness.domain.provider import PROVIDERS
from harness.domain.spec import AgentRef
from harness.errors import UsageError, nearest

if TYPE_CHECKING:
    from harness.agents.base import Agent
    from harness.domain.command_line import CommandLine
    from harness.domain.ids import Digest
    from harness.domain.spec import RunSpec
    from harness.gateway.base import Line
    from harness.llm.base import Chat
    from harness.llm.wire import Connection


def _echo(spec: RunSpec) -> Agent:
    from harness.agents.echo import Echo

    del spec
    return Echo()


def _oracle(spec: RunSpec) -> Agent:
    from harness.agents.oracle import OracleAgent
    from harness.load.overlays import SOLUTION_PATCH, read_overlay

    wrong = spec.scenario.folder / "wrong"
    known = sorted(p.name for p in wrong.glob("*") if p.is_dir())
    name = spec.agent.argument
    if name is not None and name not in known:
        raise UsageError(
            f"{spec.scenario.key} has no wrong solution {name!r}; {nearest(name, known)}"
        )
    folder = wrong / name if name else spec.scenario.solution
    if folder is None:
        raise UsageError(f"{spec.scenario.key} has no solution/ for the oracle agent to apply")
    patch = folder / SOLUTION_PATCH
    text = patch.read_text(encoding="utf-8") if patch.is_file() else None
    return OracleAgent(read_overlay(folder), text)


def _scripted(spec: RunSpec) -> Agent:
    from harness.agents.scripted import Scripted
    from harness.load.scripts import find_script

    return Scripted(find_script(spec.scenario, spec.agent.argument))


def _anthropic(spec: RunSpec) -> Agent:
    from harness.agents.tool_loop import ToolLoop
    from harness.llm.anthropic import AnthropicChat

    model = model_of(spec.agent)
    _check_loop(spec, model)
    return ToolLoop(
        Needs(model),
        lambda line: AnthropicChat(_through(line, ""), model.name, spec.agent.settings),
        spec.budget,
        _window(model),
    )


def _openai(spec: RunSpec) -> Agent:
    from harness.agents.tool_loop import ToolLoop
    from harness.llm.openai import OpenAIChat

    model = model_of(spec.agent)
    _check_loop(spec, model)
    return ToolLoop(
        Needs(model),
        lambda line: OpenAIChat(_through(line, "/v1"), model, spec.agent.settings),
        spec.budget,
        _window(model),
    )


def _claude_code(spec: RunSpec) -> Agent:
    from harness.agents.claude_code import ClaudeCode, check
    from harness.agents.programs import of_version

    model = model_of(spec.agent)
    check(model, spec.agent.settings)
    program = of_version("claude-code", spec.agent.argument)
    return ClaudeCode(program, model, spec.agent.settings, spec.budget)


def _codex(spec: RunSpec) -> Agent:
    from harness.agents.codex import Codex, check
    from harness.agents.programs import of_version

    model = model_of(spec.agent)
    check(model, spec.agent.settings)
    program = of_version("codex", spec.agent.argument)
    return Codex(program, model, spec.agent.settings, spec.budget)


def _command(spec: RunSpec) -> Agent:
    from harness.agents.command_agent import CommandAgent, check

    line = _command_line(spec)
    model = _named(spec.agent, line.api) if line.api or spec.agent.model else None
    check(line, model, spec.agent.settings)
    return CommandAgent(line, model, spec.agent.settings, spec.budget)


def _command_line(spec: RunSpec) -> CommandLine:
    from harness.load.agents import find_agent

    return find_agent(spec.scenario.project, spec.agent.argument)


def _named(agent: AgentRef, api: Api | None) -> ModelRef:
    provider = "anthropic" if api is Api.MESSAGES else "openai"
    return _parsed(agent, provider)


def _check_loop(spec: RunSpec, model: ModelRef) -> None:
    from harness.llm.settings import check_settings

    check_settings(model.provider, spec.agent.settings)
    if model.provider != spec.agent.name:
        raise UsageError(f"agent {spec.agent.name!r} has no models of {model.provider!r}")


def open_chat(line: Line, settings: ModelSettings) -> AbstractContextManager[Chat]:
    """A client for the model of a line."""
    from harness.llm.anthropic import AnthropicChat
    from harness.llm.openai import OpenAIChat

    model = line.access.model
    if model.provider == "anthropic":
        return AnthropicChat(_through(line, ""), model.name, settings)
    return OpenAIChat(_through(line, "/v1"), model, settings)


@cache
def _window(model: ModelRef) -> int:
    from harness.agents.context import WINDOW_TOKENS
    from harness.gateway.prices import Prices

    return Prices({}).window_tokens(model) or WINDOW_TOKENS


def _through(line: Line, path: str) -> Connection:
    from harness.llm.wire import Connection

    return Connection(f"http://gateway{path}", line.token, line.socket)


AGENTS: Mapping[str, Callable[[RunSpec], Agent]] = {
    "echo": _echo,
    "oracle": _oracle,
    "scripted": _scripted,
    "anthropic": _anthropic,
    "openai": _openai,
    "openrouter": _openai,
    "claude-code": _claude_code,
    "codex": _codex,
    "command": _command,
}

PROVIDER_OF: Mapping[str, str] = {
    "anthropic": "anthropic",
    "openai": "openai",
    "openrouter": "openrouter",
    "claude-code": "anthropic",
    "codex": "openai",
}
"""Whose models an agent works with, unless its model says so itself."""


def agent_ref(text: str, model: str | None, settings: ModelSettings) -> AgentRef:
    """`name[:argument]` of a command line; a tool loop's argument is its model."""
    name, _, argument = text.partition(":")
    if argument and name in PROVIDERS:
        if model and model != argument:
            raise UsageError(f"two models for one agent: {argument!r} and --model {model!r}")
        argument, model = "", argument
    return AgentRef(name, argument or None, model, settings)


def model_of(agent: AgentRef) -> ModelRef:
    """The model that an agent works with; raises UsageError when none was named."""
    return _parsed(agent, PROVIDER_OF[agent.name])


def model_label(agent: AgentRef) -> str | None:
    """The agent's model as `provider:name`, wherever it is asked; None where none was named."""
    if agent.model is None:
        return None
    model = parse_model(agent.model, PROVIDER_OF.get(agent.name, ""), PROVIDERS)
    return f"{model.provider}:{model.name}" if model.provider else model.name


def _parsed(agent: AgentRef, provider: str) -> ModelRef:
    if agent.model is None:
        raise UsageError(f"agent {agent.label!r} needs a model: --model MODEL")
    return parse_model(agent.model, provider, PROVIDERS)


def plugins(group: str) -> Mapping[str, str]:
    """What other packages add: name → `module:attribute`."""
    return _plugins(group, tuple(sys.path))


@cache
def _plugins(group: str, _path: tuple[str, ...]) -> Mapping[str, str]:
    # every installed package is looked at, which takes milliseconds
    return {point.name: point.value for point in entry_points(group=f"mintmark.{group}")}


def agent_names() -> tuple[str, ...]:
    """Every agent that can be asked for."""
    return (*AGENTS, *plugins("agents"))


def make_agent(spec: RunSpec) -> Agent:
    """The agent of a spec."""
    factory = AGENTS.get(spec.agent.name)
    if factory is None:
        factory = load_attribute(plugins("agents")[spec.agent.name])
    return factory(spec)


def identify(spec: RunSpec) -> RunSpec:
    """The spec with its agent checked, and with the digest of what the agent plays from."""
    if spec.agent.name not in agent_names():
        raise UsageError(f"no agent {spec.agent.name!r}; {nearest(spec.agent.name, agent_names())}")
    agent = make_agent(spec)
    if agent.simulated:
        asked = {"model": spec.agent.model, **asdict(spec.agent.settings)}
        for name, value in asked.items():
            if value is not None:
                raise UsageError(
                    f"agent {spec.agent.name!r} takes no {name.replace('_', ' ')}; leave {value!r}"
                    " out"
                )
    return replace(spec, agent=replace(spec.agent, digest=_plays_from(spec, agent)))


def _plays_from(spec: RunSpec, agent: Agent) -> Digest | None:
    """What an agent is, beyond its name: its script, its command line, its program."""
    from harness.domain.digests import text_digest
    from harness.load.scripts import find_script

    match spec.agent.name:
        case "scripted":
            return find_script(spec.scenario, spec.agent.argument).digest
        case "command":
            return _command_line(spec).digest
        case _:
            programs = agent.needs.programs
            return text_digest(*(str(program) for program in programs)) if programs else None


def wants_model(spec: RunSpec) -> bool:
    """Whether its agent has to be given a model, and has none."""
    agent = spec.agent
    if agent.model is not None or agent.name in {"echo", "oracle", "scripted"}:
        return False
    if agent.name in PROVIDER_OF:
        return True
    try:
        return agent.name == "command" and _command_line(spec).api is not None
    except UsageError:
        # whoever makes the agent says what is wrong with it
        return False


def load_attribute(path: str) -> Any:  # noqa: ANN401  # a class or a function, called at once
    """What `module:attribute` names."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)
