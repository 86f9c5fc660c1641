"""A template that an agent is to wear, before it is known for which prompt and which model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.domain.application import Choice, Wearing
from harness.domain.scenario import Prompt
from harness.domain.spec import AgentRef, Specialist
from harness.domain.template import PreferredModel, Template
from harness.errors import UsageError
from harness.specialists.compose import Job, compose

MAKERS: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("claude-",),
    "openai": ("gpt-", "o1", "o3", "o4", "codex-"),
}
"""Whose a model is that is named without its provider, by how its name begins."""


@dataclass(frozen=True, slots=True)
class Outfit:
    """Composes the specialist for a cell of the plan."""

    template: Template
    wearing: Wearing
    model_label: Callable[[AgentRef], str | None]
    """The name of an agent's model, with its provider."""
    choose: Callable[[Template, str], Choice] | None = None
    """Asks a model what of the template is for a prompt."""

    def __call__(self, prompt: Prompt, agent: AgentRef) -> Specialist:
        """The specialist for one prompt, in the words for the agent's model."""
        choice = self.choose(self.template, prompt.text) if self.choose else None
        job = Job(prompt.text, self.wearing, choice)
        return compose(self.template, self.model_label(agent), job)


def preferred_model(templates: Iterable[Template], provider: str) -> str | None:
    """The model of a provider that the specialists are meant for: of the most weight, then first.

    A weight that is not given is 1, one of 0 or `specialist_enabled: false` rules a model out.
    Raises UsageError where the specialists want different ones: a comparison would compare models.
    """
    wanted: dict[str, str] = {}
    for template in templates:
        if model := next(_of_provider(template.preferred_models, provider), None):
            wanted.setdefault(model, template.name)
    if len(wanted) > 1:
        listed = ", ".join(f"{name} {model!r}" for model, name in wanted.items())
        raise UsageError(
            f"the specialists prefer different models ({listed}): compared, nobody could tell"
            " whose doing a difference is; name one with --model"
        )
    return next(iter(wanted), None)


def _of_provider(models: Iterable[PreferredModel], provider: str) -> Iterator[str]:
    def weight(model: PreferredModel) -> float:
        return 1.0 if model.weight is None else model.weight

    fitting = [each for each in models if each.specialist_enabled is not False and weight(each) > 0]
    for each in sorted(fitting, key=weight, reverse=True):
        if name := _named_for(each.model, provider):
            yield name


def _named_for(model: str, provider: str) -> str | None:
    """The name as a provider knows it; None where the model is another's."""
    if provider == "openrouter":
        rest = model.removeprefix("openrouter:").removeprefix("openrouter/")
        return rest if "/" in rest else None
    maker, slash, name = model.replace(":", "/", 1).partition("/")
    if not slash:
        maker, name = _maker(model) or "", model
    if maker != provider:
        return None
    # as templates write it and as the provider does: claude-sonnet-4.5, claude-sonnet-4-5
    return name.replace(".", "-") if provider == "anthropic" else name


def _maker(model: str) -> str | None:
    return next((who for who, heads in MAKERS.items() if model.startswith(heads)), None)
