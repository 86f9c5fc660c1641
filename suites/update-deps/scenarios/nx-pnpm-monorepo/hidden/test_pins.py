"""The table of docs/dependency-policy.md: ranges, lockfile, and what was installed."""

from grading import Raised, cases, read
from ranges import admits
from workspace import PACKAGES, dependencies, installed, lockfile, major, manifest

# package, dependency, releases that the range must let in (one of them), releases that it must not
RANGES = [
    *(
        [package, "typescript", ["5.9.3", "5.5.4"], ["4.9.5", "5.4.5", "6.0.3", "7.0.2"]]
        for package in PACKAGES
    ),
    ["root", "nx", ["20.0.12"], ["19.8.14", "20.1.0", "20.8.4", "21.0.0"]],
    ["app", "react", ["18.3.1"], ["17.0.2", "19.1.1"]],
    ["app", "react-dom", ["18.3.1"], ["17.0.2", "19.1.1"]],
    ["app", "@types/react", ["18.3.27"], ["17.0.90", "19.1.17"]],
    ["app", "@types/react-dom", ["18.3.7"], ["17.0.26", "19.1.11"]],
    ["app", "@xterm/xterm", ["5.5.0"], ["4.19.0", "6.0.0"]],
    ["term", "@xterm/headless", ["5.5.0"], ["4.19.0", "6.0.0"]],
]


def absent(path: str) -> bool:
    try:
        read(path)
    except Raised:
        return True
    return False


@cases(RANGES)
def test_a_range_lets_in_what_the_policy_names(case: list) -> None:
    package, name, inside, outside = case
    named = dependencies(package)
    assert name in named, f"{package} does not name {name}"
    assert any(admits(named[name], version) for version in inside), named[name]
    assert [version for version in outside if admits(named[name], version)] == [], named[name]


@cases(list(PACKAGES))
def test_every_package_has_a_compiler_of_its_own(case: str) -> None:
    found = installed(case, "typescript")
    assert admits(">=5.5.0 <6.0.0", found or "0.0.0"), found


def test_the_newest_react_18_is_installed_with_its_types() -> None:
    assert [installed("app", name) for name in ("react", "react-dom")] == ["18.3.1", "18.3.1"]
    assert [major("app", name) for name in ("@types/react", "@types/react-dom")] == ["18", "18"]


def test_node_is_described_by_its_own_major() -> None:
    naming = [package for package in PACKAGES if "@types/node" in dependencies(package)]
    assert naming
    for package in naming:
        ranges = dependencies(package)["@types/node"]
        assert major(package, "@types/node") == "18"
        assert [v for v in ("16.11.68", "20.0.0", "22.19.3") if admits(ranges, v)] == []


def test_the_nx_that_is_installed_is_of_its_minor() -> None:
    assert installed("root", "nx").startswith("20.0.")


def test_webpack_is_untouched() -> None:
    assert dependencies("app")["webpack"] == "5.88.2"
    assert installed("app", "webpack") == "5.88.2"
    assert [p for p in lockfile()["packages"] if p.startswith("webpack@")] == ["webpack@5.88.2"]


def test_the_old_names_are_gone() -> None:
    for package in PACKAGES:
        assert not {"xterm", "xterm-headless"} & set(dependencies(package)), package
    gone = [p for p in lockfile()["packages"] if p.startswith(("xterm@", "xterm-headless@"))]
    assert gone == []


def test_pnpm_stays_the_only_package_manager() -> None:
    assert str(manifest("root").get("packageManager")).startswith("pnpm@9.")
    node = manifest("root")["engines"]["node"]
    assert [admits(node, version) for version in ("18.20.4", "20.0.0", "22.0.0")] == [True, False, False]
    others = ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "bun.lock"]
    assert [path for path in others if not absent(path)] == []
