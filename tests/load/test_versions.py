from __future__ import annotations

import pytest

from harness.load.plain_yaml import parse_plain_yaml
from harness.load.versions import Ecosystem, is_range, read_range, read_version

NPM, PYTHON = Ecosystem.NPM, Ecosystem.PYTHON


@pytest.mark.parametrize(
    ("ecosystem", "text", "inside", "outside"),
    [
        (NPM, "^1.2", "1.9.0", "2.0.0"),
        (NPM, "~20.0", "20.0.9", "20.1.0"),
        (NPM, ">=5.5 <6", "5.9.3", "5.6.0-beta"),
        (NPM, ">= 5.5  < 6", "5.5.0", "6.0.0"),
        (NPM, "1.x || >=2.1", "2.1.0", "2.0.9"),
        (NPM, "1 - 2", "2.9.9", "3.0.0"),
        (NPM, "^0.0.3", "0.0.3", "0.0.4"),
        (NPM, "^1.2.3-beta.1", "1.2.3-beta.2", "1.3.0-beta.1"),
        (NPM, ">=1,<2", "1.5.0", "2.0.0"),
        (PYTHON, "~=1.2", "1.9", "2.0"),
        (PYTHON, ">=1,<2,!=1.5", "1.5.1", "1.5"),
        (PYTHON, "==1.2.*", "1.2.9", "1.3"),
        (PYTHON, "^1.2", "1.9.0.post1", "2.0"),
        (PYTHON, "^1.2,!=1.3", "1.4", "1.3"),
        (PYTHON, "~20.0", "20.0.1", "20.1"),
        (PYTHON, "^1 || ^3", "3.4", "2.0"),
        (PYTHON, ">=5.5 <6", "5.9", "6.0"),
    ],
)
def test_a_range_holds_what_its_ecosystem_says(
    ecosystem: Ecosystem, text: str, inside: str, outside: str
) -> None:
    found = read_range(text, ecosystem)
    assert found is not None
    good, bad = (read_version(each, ecosystem) for each in (inside, outside))
    assert good is not None
    assert bad is not None
    assert (found.holds(good), found.holds(bad)) == (True, False)


@pytest.mark.parametrize(
    ("ecosystem", "text", "lowest"),
    [
        (NPM, "^2 || ^1.4", "1.4.0"),
        (NPM, "<3", "0.0.0"),
        (NPM, ">1.2.3", "1.2.4"),
        (NPM, "18.20.x", "18.20.0"),
        (PYTHON, ">1.2", "1.2.1"),
        (PYTHON, "<3", "0"),
        (PYTHON, "==4.2.*", "4.2"),
    ],
)
def test_the_lowest_version_of_a_range_is_known(
    ecosystem: Ecosystem, text: str, lowest: str
) -> None:
    found = read_range(text, ecosystem)
    assert found is not None
    assert found.lowest.text == lowest


@pytest.mark.parametrize(
    "text",
    ["latest", "workspace:*", "git+https://x", "^", "1.2.3.4.5", "9" * 300, " >= " * 50_000, "a|b"],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    assert not is_range(text)


def test_blanks_without_end_cost_nothing() -> None:
    found = read_range(">" + " " * 1_000_000 + "1.0.0", NPM)
    assert found is not None
    assert found.lowest.text == "1.0.1"


def test_versions_are_ordered_as_their_ecosystem_does() -> None:
    def ordered(ecosystem: Ecosystem, *texts: str) -> bool:
        one, other = (read_version(text, ecosystem) for text in texts)
        assert one is not None
        assert other is not None
        return one < other

    assert ordered(NPM, "1.0.0-rc.9", "1.0.0-rc.10")
    assert ordered(NPM, "1.9.0", "1.10.0")
    assert ordered(PYTHON, "1.0rc1", "1.0")
    assert ordered(PYTHON, "2024.1", "1!1.0")


def test_scalars_of_plain_yaml_are_text() -> None:
    assert parse_plain_yaml("a: 1.10\nb: [yes, ~, '2']\nc: {d: 2024-01-01}") == {
        "a": "1.10",
        "b": ["yes", "~", "2"],
        "c": {"d": "2024-01-01"},
    }
    assert parse_plain_yaml("") is None


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "a: &x 1\nb: *x", "? [a]\n: b", "a: 'b", "\0", "a: b: c"]
)
def test_yaml_that_no_package_manager_writes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_plain_yaml(text)
