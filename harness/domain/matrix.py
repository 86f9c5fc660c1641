"""A matrix of runs: what each axis holds, and what is said of some of its cells."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

Where = tuple[str | int, ...]
"""The keys that lead to a place in the file."""

ALL = "all"
NONE = "none"


@dataclass(frozen=True, slots=True)
class Named:
    """A value of an axis, and where the file names it."""

    text: str
    where: Where = ()


@dataclass(frozen=True, slots=True)
class AgentEntry:
    """An agent, and the models that it alone is run with; none leaves it to the axis."""

    agent: Named
    models: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """How cells are run, by the names that the command line has for it; None is not said."""

    iterations: int | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: str | None = None
    seed: int | None = None
    max_cost: float | None = None
    max_tokens: int | None = None
    max_requests: int | None = None
    max_turns: int | None = None
    user: str | None = None
    skip_warmup: bool | None = None
    only: tuple[str, ...] | None = None
    skip: tuple[str, ...] | None = None
    judges: tuple[str, ...] | None = None

    def over(self, others: Terms) -> Terms:
        """What is said here takes the place of what the others say."""
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(others, **{name: v for name, v in said.items() if v is not None})


@dataclass(frozen=True, slots=True)
class Block:
    """Axes of which every combination is a cell."""

    scenarios: tuple[Named, ...]
    tiers: tuple[Named, ...]
    agents: tuple[AgentEntry, ...]
    models: tuple[Named, ...] = ()
    specialists: tuple[Named, ...] = (Named(NONE),)
    terms: Terms = Terms()
    where: Where = ()


@dataclass(frozen=True, slots=True)
class Selector:
    """Cells, by globs on their axes; an axis that it does not name may be anything."""

    axes: tuple[tuple[str, tuple[Named, ...]], ...]
    where: Where = ()


@dataclass(frozen=True, slots=True)
class Override:
    """What is said of the cells that are selected."""

    cells: Selector
    terms: Terms


@dataclass(frozen=True, slots=True)
class Matrix:
    """The product, less what is excluded, plus what is included."""

    product: Block
    include: tuple[Block, ...] = ()
    exclude: tuple[Selector, ...] = ()
    overrides: tuple[Override, ...] = ()
    defaults: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True)
class Point:
    """One cell of a matrix, by names."""

    scenario: Named
    tier: str
    agent: Named
    model: Named | None
    specialist: Named
    terms: Terms = Terms()

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for two points that name the same cell."""
        model = self.model.text if self.model else ""
        return self.scenario.text, self.tier, self.agent.text, model, self.specialist.text

    def values(self, axis: str) -> tuple[str, ...]:
        """What a glob on an axis is held against."""
        name, _, model = self.agent.text.partition(":")
        match axis:
            case "scenarios":
                return (self.scenario.text,)
            case "tiers":
                return (self.tier,)
            case "agents":
                return self.agent.text, name
            case "models":
                return (self.model.text,) if self.model else (NONE, *((model,) if model else ()))
            case _:
                return (self.specialist.text,)
