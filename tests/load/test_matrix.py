"""matrix.yaml: what it means, and what is said of one that means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.domain.matrix import Point
from harness.errors import BadFile
from harness.load.matrix import load_matrix
from harness.load.matrix_cells import points_of

SCENARIOS = ("app/one", "app/two", "web/one")
AGENTS = ("echo", "oracle", "claude-code", "codex")
TIERS = {"app/one": ("L0", "L1"), "app/two": ("L1",), "web/one": ("L1", "L3")}


def points(folder: Path, text: str) -> tuple[Point, ...]:
    path = folder / "matrix.yaml"
    path.write_text(text, encoding="utf-8")
    file = load_matrix(path, SCENARIOS, AGENTS)
    return points_of(file, TIERS, lambda agent: agent in {"claude-code", "codex"})


def names(folder: Path, text: str) -> list[str]:
    return [" ".join(filter(None, point.key)) for point in points(folder, text)]


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(BadFile) as caught:
        points(folder, text)
    return list(caught.value.problems)


def test_every_combination_is_a_cell_and_tiers_without_a_prompt_are_passed_over(
    tmp_path: Path,
) -> None:
    text = "scenarios: app/*\ntiers: [L0, L1]\nagents: [echo, oracle]\n"
    assert names(tmp_path, text) == [
        "app/one L0 echo none",
        "app/one L0 oracle none",
        "app/one L1 echo none",
        "app/one L1 oracle none",
        "app/two L1 echo none",
        "app/two L1 oracle none",
    ]


def test_globs_that_overlap_name_a_scenario_once(tmp_path: Path) -> None:
    text = "scenarios: ['*/one', app/*, '**']\nagents: echo\n"
    assert len(names(tmp_path, text)) == 3


def test_only_agents_that_want_a_model_are_multiplied_by_models(tmp_path: Path) -> None:
    text = """\
scenarios: app/two
agents: [echo, claude-code, {agent: codex, models: [gpt-5]}]
models: [a, b]
specialists: [none, "@acme/x"]
"""
    assert names(tmp_path, text) == [
        f"app/two L1 {who} {worn}"
        for who in ("echo", "claude-code a", "claude-code b", "codex gpt-5")
        for worn in ("none", "@acme/x")
    ]


def test_what_is_excluded_is_like_the_selector_on_every_axis_that_it_names(tmp_path: Path) -> None:
    text = """\
scenarios: app/*
tiers: all
agents: [echo, claude-code]
models: a
exclude: [{tiers: L0, agents: ec*}, {scenarios: app/two, models: [a, b*]}]
include: [{scenarios: web/one, tiers: L3, agents: codex, models: b1}]
"""
    assert names(tmp_path, text) == [
        "app/one L0 claude-code a none",
        "app/one L1 echo none",
        "app/one L1 claude-code a none",
        "app/two L1 echo none",
        "web/one L3 codex b1 none",
    ]


def test_settings_are_the_cell_s_own_then_the_last_override_s_then_the_default(
    tmp_path: Path,
) -> None:
    found = points(
        tmp_path,
        """\
scenarios: [app/one, app/two]
agents: echo
iterations: 2
defaults: {max_cost: 1, max_turns: 9}
overrides:
  - {where: {scenarios: app/*}, max_cost: 2, iterations: 3}
  - {where: {scenarios: [app/two, web/*]}, max_cost: 4, skip: [lint]}
include: [{scenarios: web/one, max_cost: 8}]
""",
    )
    said = {p.scenario.text: (p.terms.iterations, p.terms.max_cost, p.terms.skip) for p in found}
    assert said == {
        "app/one": (3, 2, None),
        "app/two": (3, 4, ("lint",)),
        "web/one": (2, 8, ("lint",)),
    }
    assert {p.terms.max_turns for p in found} == {9}


def test_all_that_is_wrong_is_said_at_once_with_its_line_and_the_nearest_name(
    tmp_path: Path,
) -> None:
    text = """\
scenarios: [app/on, web/*]
tiers: [L1, L9]
agents:
  - ecko
defaults: {user: "opnai:gpt-5", judges: [gpt-5]}
exclude:
  - agents: oracel
include:
  - scenarios: zoo/*
"""
    assert problems(tmp_path, text) == [
        "/scenarios/0 (line 1): no scenario 'app/on'; did you mean 'app/one'?",
        "/tiers/1 (line 2): no tier 'L9'; there is 'L0', 'L1', 'L2', 'L3', 'Lx', 'all'",
        "/agents/0 (line 4): no agent 'ecko'; did you mean 'echo'?",
        "/defaults/user (line 5): 'opnai:gpt-5' names no provider; did you mean 'openai'?",
        (
            "/defaults/judges/0 (line 5): 'gpt-5' names no provider;"
            " there is 'anthropic', 'openai', 'openrouter'"
        ),
        "/exclude/0/agents (line 7): none of its agents is like 'oracel'; there is 'ecko'",
        (
            "/include/0/scenarios (line 9): no scenario is like 'zoo/*';"
            " there is 'app/one', 'app/two', 'web/one'"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "scenarios: '*/*'\nagents: echo\nteirs: L1\n",
            "unknown key 'teirs'; did you mean 'tiers'?",
        ),
        ("scenarios: []\nagents: echo\n", "/scenarios (line 1): the list is empty"),
        ("scenarios: app/*\nagents: echo\ntiers: L3\n", "none of the scenarios has a prompt for"),
        (
            "scenarios: app/*\nagents: echo\nexclude: [{agents: '*'}]\n",
            "/: nothing is left of the matrix",
        ),
        (
            "scenarios: app/*\nagents: echo\nmodels: [a]\n",
            "/models/0 (line 3): no agent here takes a model from this list",
        ),
        (
            "scenarios: app/*\nagents: echo\ntiers: all\nexclude: [{scenarios: a*/two, tiers: L0}]",
            "/exclude/0 (line 4): no cell of the matrix is like this",
        ),
        (
            "scenarios: app/*\nagents: echo\noverrides: [{where: {}, seed: 1}]\n",
            "is not a mapping of axes to globs",
        ),
        (
            "scenarios: app/*\nagents: echo\ninclude: [{scenarios: app/one}]\n",
            "app/one L1 echo none is a cell of the matrix already",
        ),
        ("scenarios: app/*\nagents: echo\niterations: 0\n", "it must be at least 1"),
        ("scenarios: app/*\nagents: echo\ndefaults: {max_cost: 0}\n", "it must be more than 0"),
        ("- a\n", "is not a mapping"),
        ("", "the file is empty"),
    ],
)
def test_a_matrix_that_means_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    found = problems(tmp_path, text)
    assert len(found) == 1
    assert said in found[0]


def test_a_matrix_that_is_far_too_large_is_not_multiplied_out(tmp_path: Path) -> None:
    models = ", ".join(f"m{n}" for n in range(1000))
    text = f"scenarios: '*/*'\ntiers: all\nagents: claude-code\nmodels: [{models}]\n"
    worn = ", ".join(f"s{n}" for n in range(1000))
    found = problems(tmp_path, f"{text}specialists: [{worn}]\n")
    assert found == ["/: 3,000,000 cells are more than 100,000"]


def test_so_many_runs_that_nobody_means_them_are_refused(tmp_path: Path) -> None:
    models = ", ".join(f"m{n}" for n in range(101))
    text = f"scenarios: app/two\nagents: claude-code\nmodels: [{models}]\niterations: 1000\n"
    assert problems(tmp_path, text) == ["/: 101,000 runs are more than 100,000"]


def test_an_included_cell_may_lack_a_tier_of_the_product(tmp_path: Path) -> None:
    text = "scenarios: app/one\ntiers: [L0, L1]\nagents: echo\ninclude: [{scenarios: app/two}]\n"
    assert names(tmp_path, text)[-1] == "app/two L1 echo none"
