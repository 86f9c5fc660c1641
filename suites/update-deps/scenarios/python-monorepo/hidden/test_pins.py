"""Pins, read as data, and what pip made of them."""

import re
import tomllib

from grading import cases, read
from office import installed, major
from packaging.specifiers import SpecifierSet

NEXT = {
    "saltern-throttle": ("2.1.0", "1.4.2", "3.0"),
    "saltern-money": ("3.0.1", "2.3.0", "4.0"),
    "saltern-money-tax": ("3.0.2", "2.9", "4.0.0"),
    "saltern-bus": ("1.2.0", "0.9.4", "2.0"),
    "saltern-retry": ("1.1.0", "0.9", "2.0"),
}
IMPORTS = [
    ["gateway", "saltern-throttle"],
    ["billing", "saltern-money"],
    ["billing", "saltern-money-tax"],
    ["notify", "saltern-bus"],
    ["notify", "saltern-retry"],
]


def requirements(package: str) -> dict[str, str]:
    """Ranges by normalised name; an environment marker is not part of a range."""
    project = tomllib.loads(read(f"packages/{package}/pyproject.toml"))["project"]
    found = {}
    for line in project["dependencies"]:
        name, ranges = re.fullmatch(r"\s*([\w.-]+)\s*\(?([^();]*)\)?\s*(?:;.*)?", line).groups()
        found[re.sub(r"[-_.]+", "-", name).lower()] = ranges.strip()
    return found


def constraints() -> list[str]:
    lines = [line.partition("#")[0].strip() for line in read("constraints.txt").splitlines()]
    return [line.replace(" ", "") for line in lines if line]


def test_the_next_majors_are_installed() -> None:
    wanted = {name: versions[0].partition(".")[0] for name, versions in NEXT.items()}
    assert {name: major(name) for name in NEXT} == wanted


def test_the_constraints_are_exactly_what_is_installed() -> None:
    assert major("saltern-money") == "3"
    found = [re.sub(r"[_.]", "-", line.partition("==")[0]).lower() for line in constraints()]
    versions = [line.partition("==")[2] for line in constraints()]
    assert len(found) == len(set(found))
    assert dict(zip(found, versions, strict=True)) == installed()


@cases(IMPORTS)
def test_a_range_lets_in_one_line_only(case: list[str]) -> None:
    package, name = case
    inside, before, after = NEXT[name]
    named = requirements(package)
    assert name in named, f"{package} imports {name} and does not name it"
    ranges = SpecifierSet(named[name])
    assert [v in ranges for v in (inside, before, after)] == [True, False, False]


def test_what_the_bank_delivered_keeps_its_xml() -> None:
    assert (major("saltern-bankfeed"), major("saltern-xml")) == ("5", "1")
    for package in ("billing", "gateway", "notify"):
        found = requirements(package).get("saltern-xml")
        assert found is None or "2.0.0" not in SpecifierSet(found)


def test_the_companion_has_the_major_of_its_library() -> None:
    assert major("saltern-money-tax") == major("saltern-money") == "3"
