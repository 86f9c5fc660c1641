"""Rules of the house that a tool can keep."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.roster import AGENTS
from harness.wiring import EVALUATORS

ROOT = Path(__file__).parents[2]
MODULES = sorted([*ROOT.glob("harness/**/*.py"), *ROOT.glob("evaluators/*.py")])
EVALUATORS_PAGE = (ROOT / "docs/evaluators.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAX_MODULE, MAX_FUNCTION = 400, 60
HEAVY = {
    *("docker", "git", "rich", "sqlalchemy", "jsonschema", "yaml", "structlog", "requests"),
    *(
        "psycopg",
        "fsspec",
        "s3fs",
        "anthropic",
        "openai",
        "httpx2",
        "pydantic",
        "starlette",
        "uvicorn",
        "genai_prices",
        "pystache",
        "ray",
        "cryptography",
        "trafilatura",
    ),
}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_and_functions_stay_boring(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.body:
            length = (node.end_lineno or 0) - node.body[0].lineno
            assert length <= MAX_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_product_file_is_named_like_a_test_or_a_drawer(path: Path) -> None:
    assert not path.name.startswith("test_")
    assert path.stem not in {"utils", "helpers", "common", "misc"}


@pytest.mark.parametrize("name", EVALUATORS)
def test_every_evaluator_is_documented(name: str) -> None:
    assert f"\n## {name}\n" in EVALUATORS_PAGE


@pytest.mark.parametrize("name", AGENTS)
def test_every_agent_is_in_the_readme(name: str) -> None:
    assert f"`{name}" in README


@pytest.mark.parametrize("command", ["bench", "mint"])
def test_help_loads_nothing_heavy(command: str) -> None:
    code = (
        f"import sys; sys.argv = ['{command}', '--help']\n"
        f"from harness.cli.{command} import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "import json; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}
    assert not loaded & HEAVY


@pytest.mark.parametrize(
    "path", sorted((ROOT / "harness/load/schemas").glob("*.json")), ids=relative
)
def test_every_schema_is_published(path: Path) -> None:
    assert path.name in (ROOT / "docs/formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(ROOT.glob("**/*.md")) if not {".venv", "suites"} & set(p.parts)],
    ids=relative,
)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
