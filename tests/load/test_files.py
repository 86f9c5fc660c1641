from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import BadFile
from harness.load.files import MAX_BYTES, read_document, read_text


def read(tmp_path: Path, name: str, text: str | bytes) -> object:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(path).value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("a.yaml", "a: no\nb: 2024-01-01\nc: 010\nd: 1:30", ["no", "2024-01-01", 10, "1:30"]),
        ("a.yaml", "a: ~\nb: true\nc: 0x1f\nd: -1.5e3", [None, True, 31, -1500.0]),
        ("a.yaml", "a: &x [1]\nb: *x\nc: ''\nd:", [[1], [1], "", None]),
        ("a.yaml", "\ufeffa: 1\nb: 2\nc: 3\nd: 4", [1, 2, 3, 4]),
        ("a.json5", "{a: 'it', /* x */ b: [1, 2,], // y\n c: +1, 'd': .5}", ["it", [1, 2], 1, 0.5]),
        ("a.jsonc", '{"a": "http://x", "b": 1, "c": {}, "d": null,}', ["http://x", 1, {}, None]),
        ("a.json", '{"a": 1, "b": 2, "c": [], "d": "}"}', [1, 2, [], "}"]),
    ],
)
def test_values_come_as_they_were_written(
    tmp_path: Path, name: str, text: str, value: list[object]
) -> None:
    assert read(tmp_path, name, text) == dict(zip("abcd", value, strict=True))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "a: 1\nb:\n  c: 2\n  c: 3", "/b/c (line 3): the key 'c' stands here and again"),
        ("a.yaml", "a: 1\na: 2", "again on line 2"),
        ("a.yaml", "a: [1\nb: 2", "line 2, column 2"),
        ("a.yaml", "1: x", "the key '1' on line 1 is not text; put it in quotes"),
        ("a.yaml", "? [a]\n: x", "a list or mapping"),
        ("a.yaml", "a: !!python/object:os.system x", "cannot be read the tag"),
        ("a.yaml", "a: !!set {x}", "the tag 'tag:yaml.org,2002:set' is not allowed"),
        ("a.yaml", "a: !!int x", "'x' cannot be read as 'int'"),
        ("a.yaml", "a: .inf", "inf is not a finite number"),
        ("a.yaml", "", "the file is empty"),
        ("a.yaml", "--- 1\n--- 2", "another document"),
        ("a.yaml", "a: &a [*a]", "nested too deeply"),
        ("a.yaml", "a: " + "[" * 3000, "nested too deeply"),
        ("a.yaml", 'a: "\\uD800"', "half a character"),
        ("a.yaml", "a: \x07", "special characters are not allowed"),
        ("a.json5", "{a: 1,\n a: 2}", "/a (line 1): the key 'a' stands here and again on line 2"),
        ("a.json5", "{a: [{b: 1}, {'c': 2, \"c\": 3}]}", "/a/1/c"),
        ("a.json5", "{\n\n a: @}", "line 3: Expected 'JSON5Value'"),
        ("a.json5", "{a: NaN}", "not a finite number"),
        ("a.json5", "[" * 40, "nesting level"),
        ("a.json", "{a: 1}", "line 1, column 2"),
        ("a.json", '{"a": 1, "a": 2}', "stands here and again"),
        ("a.json", '"\\ud800"', "half a character"),
        ("a.json", "[" * 100_000, "cannot be read"),
        ("a.json", "9" * 5000, "cannot be read"),
        ("a.yaml", b"a: \xff", "is not UTF-8: byte 3 is 0xff"),
        ("a.yaml", "x" * (MAX_BYTES + 1), "is larger than 1,048,576 bytes"),
        ("a.toml", "a = 1", "has a suffix that is none of .yaml, .yml, .json5, .jsonc, .json"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(
    tmp_path: Path, name: str, text: str | bytes, said: str
) -> None:
    with pytest.raises(BadFile) as caught:
        read(tmp_path, name, text)
    assert said in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


def test_every_double_key_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadFile) as caught:
        read(tmp_path, "a.yaml", "a: 1\na: 2\nb: {c: 1, c: 2}\n5: x\n")
    assert len(caught.value.problems) == 3


def test_aliases_cannot_make_a_small_file_huge(tmp_path: Path) -> None:
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))
    with pytest.raises(BadFile, match="too much of it through aliases"):
        read(tmp_path, "a.yaml", f"a0: &a0 x\n{levels}\n")


def test_a_folder_and_a_missing_file_are_bad_files(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", Path("a\0b")):
        with pytest.raises(BadFile, match="cannot be read"):
            read_text(path)


def test_the_line_of_a_nested_key_and_of_an_item_is_known(tmp_path: Path) -> None:
    for name, text in (
        ("a.yaml", "a:\n  - b: 1\n  - b: 2\n    c: 3\n  - [x,\n     y]\n"),
        ("a.json5", "{a: [\n {b: 1}, // }\n {b: 2,\n 'c': 3},\n [1,\n 'y',]]}"),
    ):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        lines = read_document(path).lines
        assert lines["a", 1, "c"] == 4
        assert [lines["a", index] for index in range(3)] == [2, 3, 5]
        assert lines["a", 2, 1] == 6
