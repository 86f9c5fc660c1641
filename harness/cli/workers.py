"""Who works where a command line leaves it open: the batch's own agent, and a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness import roster
from harness.domain.model import ModelSettings
from harness.domain.outline import Run
from harness.domain.spec import AgentRef
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.specialists.outfit import Outfit

DEFAULT_AGENT = "echo"
DEFAULT_MODELS = {"anthropic": "claude-sonnet-4-5"}
"""By agent: what works where neither the command nor a specialist names a model."""


def agents_of(
    names: Sequence[str], model: str | None, settings: ModelSettings, before: Sequence[Run]
) -> tuple[AgentRef, ...]:
    """The agents of a command line; what it leaves open is as in the batch's runs before.

    Raises UsageError where those do not tell: the other side of a comparison is never guessed.
    """
    workers = tuple(dict.fromkeys((run.cell.agent, run.cell.model) for run in before))
    if names or not workers:
        named = [roster.agent_ref(each, model, settings) for each in names or (DEFAULT_AGENT,)]
        return tuple(replace(each, model=each.model or _own(each, workers)) for each in named)
    if len(workers) > 1:
        listed = ", ".join(" ".join(filter(None, worker)) for worker in workers)
        raise UsageError(
            f"several agents worked in batch {before[0].batch} ({listed}): say which with --agent"
        )
    ((name, own),) = workers
    return (roster.agent_ref(name, model or own, settings),)


def _own(agent: AgentRef, workers: Sequence[tuple[str, str | None]]) -> str | None:
    """The one model that the agent had in the batch."""
    models = [model for name, model in workers if name == agent.label]
    return models[0] if len(models) == 1 else None


def with_models(agents: Sequence[AgentRef], outfits: Sequence[Outfit]) -> tuple[AgentRef, ...]:
    """The agents; where no model was named, the one that the specialists prefer, else a usual."""
    found = []
    for agent in agents:
        provider = roster.PROVIDER_OF.get(agent.name)
        model = agent.model
        if provider is not None and model is None:
            model = _preferred(outfits, provider) or DEFAULT_MODELS.get(agent.name)
        found.append(replace(agent, model=model))
    return tuple(found)


def choices(names: Sequence[str], model: str | None, agents: Sequence[AgentRef]) -> Iterator[str]:
    """What the user did not say: the agent of a batch that goes on, and models."""
    if not names and agents[0].name != DEFAULT_AGENT:
        (agent,) = agents
        yield f"the agent is {' '.join(filter(None, (agent.label, agent.model)))}, as in the batch"
    for name, agent in zip(names, agents, strict=False):
        if agent.model and roster.agent_ref(name, model, agent.settings).model is None:
            yield f"{agent.label}: the model is {agent.model}"


def _preferred(outfits: Sequence[Outfit], provider: str) -> str | None:
    if not outfits:
        return None
    from harness.specialists.outfit import preferred_model  # noqa: PLC0415  # with a specialist only

    return preferred_model([each.template for each in outfits], provider)
