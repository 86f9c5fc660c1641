from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from ipaddress import ip_address
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.load.json_text import parse_json5
from harness.specialists import fetch
from harness.specialists.documents import mentions
from harness.specialists.edit import append
from harness.specialists.fetch import NotRead, _checked, _moved
from harness.specialists.mustache import fill
from harness.specialists.reading import _kind_of
from harness.specialists.writing import read_exactly, replace_text

VALUES = {"name": "n", "persona": {"values": ("a", "b")}}


@pytest.mark.parametrize(
    "said",
    [
        "text/html; charset*0=a; charset*=b",
        "text/html; charset*=us-ascii''%00",
        f"text/html; charset*{'9' * 5000}=x",
        f"text/html; charset={'x' * 9000}",
    ],
)
def test_a_header_that_breaks_its_reader_says_nothing_of_the_charset(said: str) -> None:
    assert _kind_of(said, "/", b"hello") == ("html", "")


def test_the_charset_that_is_one_is_kept() -> None:
    assert _kind_of("text/html; charset=Latin-1", "/", b"hello") == ("html", "latin-1")


def test_a_redirect_to_what_is_no_url_is_told() -> None:
    with pytest.raises(NotRead, match="no URL"):
        _moved(_checked("http://a.example/"), "http://[::1")


def test_many_addresses_share_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def slow(_: object, timeout: float) -> object:
        given.append(timeout)
        time.sleep(min(timeout, 0.02))
        raise TimeoutError("nobody answers")

    monkeypatch.setattr(fetch.socket, "create_connection", slow)
    with pytest.raises(OSError, match=r"nobody answers|timed out"):
        fetch._first_open(tuple(ip_address(f"1.1.1.{n}") for n in range(50)), 80, 0.1)
    assert sum(min(each, 0.02) for each in given) < 0.3


@pytest.mark.parametrize(
    "name", ["append", "pop", "__class__", "__reduce__", "__doc__", "__iter__"]
)
def test_what_a_list_can_do_is_no_name(name: str) -> None:
    done = fill(f"x {{{{persona.values.{name}}}}}", VALUES)

    assert done.text == ""
    assert "nothing fills" in done.problems[0]


def test_lists_are_still_lists() -> None:
    text = "{{persona.values}} {{#persona.values}}<{{.}}>{{/persona.values}}"
    assert fill(text, VALUES).text == "a, b <a><b>"


@pytest.mark.parametrize("text", ["{{= =}}", "{{#name}}" * 3000 + "{{/name}}" * 3000])
def test_broken_marks_are_problems(text: str) -> None:
    assert fill(text, VALUES).problems


@pytest.mark.parametrize("text", ["{{!" * 100_000, "{{!" * 100_000 + "}}", "{{ " * 100_000])
def test_a_megabyte_of_braces_takes_no_time(text: str) -> None:
    fill(text, VALUES)


@pytest.mark.parametrize("times", [4, 12])
def test_sections_in_sections_end(times: int) -> None:
    mark = "persona.values"
    text = f"{{{{#{mark}}}}}" * times + "x" + f"{{{{/{mark}}}}}" * times
    values = {"persona": {"values": tuple("abcdefghijklmnopqrstuvwxyz" * 4)}}
    assert "far too much" in fill(text, values).problems[0]


def test_a_name_without_end_is_no_name() -> None:
    began = time.monotonic()
    assert not mentions("React", " " * 200_000 + "x")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${{ name }}", "${{ name }}"),
        ("{{a: 1}} {{name}} {{", "{{a: 1}} n {{"),
        ("{{! {{name}} }}", "}}"),
        ("{{{name}}}", "n"),
    ],
)
def test_braces_mean_what_they_meant(text: str, filled: str) -> None:
    assert fill(text, VALUES).text.strip() == filled


@pytest.mark.parametrize("text", ['{n\\u0061me:"x",name:"y"}', "{a:1,\ufeffa:2}"])
def test_a_key_spelt_another_way_is_the_same_key(text: str) -> None:
    assert parse_json5(text).problems


def _bump(path: Path, name: int) -> int:
    done = 0
    for number in range(20):
        before = read_exactly(path)
        try:
            replace_text(path, before, append(before, ("l",), f"{name}-{number}"))
        except UsageError:
            continue
        done += 1
    return done


def test_what_was_said_to_be_written_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.json5"
    path.write_text("{l: []}", encoding="utf-8")
    with ProcessPoolExecutor(4) as pool:
        done = sum(pool.map(_bump, [path] * 4, range(4)))

    assert len(parse_json5(read_exactly(path)).value["l"]) == done
