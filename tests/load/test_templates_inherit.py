from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from harness.domain.template import Ancestor
from harness.errors import BadFile
from harness.load.inherit import MOST_ANCESTORS, resolve
from harness.load.templates import load_template, resolve_template

BASE: dict[str, Any] = {
    "name": "@org/base",
    "displayName": "The base",
    "version": "1.0.0",
    "license": "MIT",
    "persona": {"purpose": "Base.", "values": ["Care"], "tech_stack": ["Python"]},
    "capabilities": {"tags": ["read"], "considerations": ["Tests stay."]},
    "documentation": [{"path": "docs/base.md"}, {"url": "https://x.example", "type": "web"}],
    "version_metadata": {"deprecated": True},
}
KID: dict[str, Any] = {"name": "@org/kid", "version": "0.1.0", "from": "./base.json5"}


def write(folder: Path, name: str, raw: object) -> Path:
    path = folder / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(raw, indent=1), encoding="utf-8")
    return path


def family(folder: Path, **changes: object) -> Path:
    write(folder, "base.json5", BASE)
    return write(folder, "kid.json5", {**KID, **changes})


def problem(path: Path) -> str:
    with pytest.raises(BadFile) as caught:
        load_template(path)
    (only,) = caught.value.problems
    return only


def test_what_a_template_does_not_say_it_has_from_its_parent(tmp_path: Path) -> None:
    path = family(tmp_path, persona={"purpose": "Kid.", "values": ["Speed"]})
    template = load_template(path)
    assert (template.name, template.version) == ("@org/kid", "0.1.0")
    assert template.persona.purpose == "Kid."
    assert template.persona.values == ("Speed",)
    assert template.persona.tech_stack == ("Python",)
    assert template.capabilities.tags == ("read",)
    assert json.loads(template.document)["license"] == "MIT"
    assert template.ancestors == (Ancestor("@org/base", "1.0.0", path.parent / "base.json5"),)


def test_names_and_history_are_nobodys_heritage(tmp_path: Path) -> None:
    template = load_template(family(tmp_path))
    assert template.display_name is None
    assert template.deprecation is None
    assert {"from", "merge"}.isdisjoint(json.loads(template.document))


def test_the_digest_is_of_all_that_is_said(tmp_path: Path) -> None:
    before = load_template(family(tmp_path)).digest
    write(tmp_path, "base.json5", {**BASE, "persona": {"purpose": "Changed."}})
    assert load_template(tmp_path / "templates" / "kid.json5").digest != before


def test_null_takes_an_inherited_key_away(tmp_path: Path) -> None:
    template = load_template(family(tmp_path, persona={"values": None}, documentation=None))
    assert template.persona.values == ()
    assert template.documentation == ()


def test_a_list_is_replaced_unless_it_is_to_be_appended_to(tmp_path: Path) -> None:
    capabilities = {"tags": ["write", "read"], "considerations": ["Be brief."]}
    merge = {"capabilities.tags": "append"}
    template = load_template(family(tmp_path, capabilities=capabilities, merge=merge))
    assert template.capabilities.tags == ("read", "write")
    assert template.capabilities.considerations == ("Be brief.",)
    merge = {"*": "append", "capabilities.tags": "replace"}
    template = load_template(family(tmp_path, capabilities=capabilities, merge=merge))
    assert template.capabilities.tags == ("write", "read")
    assert template.capabilities.considerations == ("Tests stay.", "Be brief.")


def test_an_appended_item_of_the_same_address_takes_the_inherited_ones_place(
    tmp_path: Path,
) -> None:
    own = [{"url": "https://x.example", "description": "Mine"}, {"url": "https://y.example"}]
    path = family(tmp_path, documentation=own, merge={"documentation": "append"})
    told = [(d.location, d.description) for d in load_template(path).documentation]
    assert told == [("docs/base.md", ""), ("https://x.example", "Mine"), ("https://y.example", "")]


def test_paths_of_inherited_documents_are_seen_from_the_heir(tmp_path: Path) -> None:
    write(tmp_path, "base.json5", BASE)
    path = write(tmp_path, "deep/kid.json5", {**KID, "from": "../base.json5"})
    assert load_template(path).documentation[0].location == "../docs/base.md"


@pytest.mark.parametrize("ref", ["@org/base", "base", "@org/base@1.0.0", "./base.json5"])
def test_a_parent_is_named_or_pointed_at(tmp_path: Path, ref: str) -> None:
    write(tmp_path, "more/newer.json5", {**BASE, "name": "@org/other", "version": "9.0.0"})
    assert load_template(family(tmp_path, **{"from": ref})).persona.purpose == "Base."


def test_of_several_versions_the_newest_is_inherited_or_the_one_that_is_named(
    tmp_path: Path,
) -> None:
    newer = {**BASE, "version": "1.10.0", "persona": {"purpose": "Newer."}}
    write(tmp_path, "newer.json5", newer)
    assert load_template(family(tmp_path, **{"from": "@org/base"})).persona.purpose == "Newer."
    path = family(tmp_path, **{"from": "@org/base@1.0.0"})
    assert load_template(path).persona.purpose == "Base."


def test_a_grandparent_is_inherited_from_too(tmp_path: Path) -> None:
    path = family(tmp_path, persona={"purpose": "Kid."})
    grandchild = {"name": "grandchild", "version": "1.0.0", "from": "@org/kid"}
    template = load_template(write(tmp_path, "grandchild.json5", grandchild))
    assert (template.persona.purpose, template.persona.values) == ("Kid.", ("Care",))
    assert [each.path.name for each in template.ancestors] == [path.name, "base.json5"]


def test_a_missing_parent_is_an_error_that_names_the_chain(tmp_path: Path) -> None:
    path = family(tmp_path)
    write(tmp_path, "base.json5", {**BASE, "from": "@org/nobody"})
    said = problem(path)
    assert "/from" in said
    assert "(kid.json5 → base.json5 → @org/nobody)" in said
    assert "no template '@org/nobody'" in said
    said = problem(write(tmp_path, "lost.json5", {**KID, "from": "../gone.json5"}))
    assert "there is no file" in said
    said = problem(write(tmp_path, "old.json5", {**KID, "from": "@org/kid@7.0.0"}))
    assert "has no version '7.0.0'; it has 0.1.0" in said


def test_a_row_of_parents_that_does_not_end_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "t0.json5", BASE)
    for number in range(1, MOST_ANCESTORS + 2):
        raw = {**KID, "from": f"./t{number - 1}.json5"}
        path = write(tmp_path, f"t{number}.json5", raw)
        if number == MOST_ANCESTORS:
            assert len(load_template(path).ancestors) == MOST_ANCESTORS
    assert "more than 16 templates inherit from one another in a row" in problem(path)


@pytest.mark.parametrize("what", ["mappings", "lists"])
def test_many_parts_are_merged_in_no_time(tmp_path: Path, what: str) -> None:
    many = 8000
    if what == "mappings":
        tasks = {f"t{n}": {"default": {"a": "x"}} for n in range(many)}
        base, merge = {"prompts": tasks}, {}
        own = {"prompts": {task: {"default": None} for task in tasks}}
    else:
        base = {"persona": {"purpose": "P.", "values": [f"v{n}" for n in range(many)]}}
        own = {"persona": {"values": [f"w{n}" for n in range(many)]}}
        merge = {"persona.values": "append"}
    write(tmp_path, "base.json5", {**BASE, **base})
    path = write(tmp_path, "kid.json5", {**KID, **own, "merge": merge})
    began = time.monotonic()
    resolve(path, lambda _ref, child: child.with_name("base.json5"))
    assert time.monotonic() - began < 5


def test_a_file_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    text = f'{{"name": {"[" * 500}{"]" * 500}}}'
    for name in ("deep.json", "deep.json5"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(BadFile, match=r"nest"):
            load_template(path)


def test_a_cycle_is_an_error_that_names_the_chain(tmp_path: Path) -> None:
    path = family(tmp_path)
    write(tmp_path, "base.json5", {**BASE, "from": "@org/kid"})
    assert "it inherits from itself: kid.json5 → base.json5 → kid.json5" in problem(path)
    alone = write(tmp_path, "alone.json5", {**KID, "from": "./alone.json5"})
    assert "it inherits from itself: alone.json5 → alone.json5" in problem(alone)


def test_a_mistake_in_a_parent_is_said_with_its_place_there(tmp_path: Path) -> None:
    path = family(tmp_path, persona={"purpose": "Kid."})
    write(tmp_path, "base.json5", {**BASE, "persona": {"purpose": "P.", "vlaues": ["x"]}})
    said = problem(path)
    assert said.startswith(f"{path.parent / 'base.json5'}: /persona/vlaues (line 8): unknown key")
    write(tmp_path, "base.json5", "not a mapping")
    assert "base.json5 is not a template" in load_problems(path)
    (path.parent / "base.json5").write_text("{", encoding="utf-8")
    assert "line 1: Unclosed" in load_problems(path)


def load_problems(path: Path) -> str:
    with pytest.raises(BadFile) as caught:
        load_template(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("merge", "said"),
    [
        ({"documentation": "prepend"}, "'prepend' is unknown here"),
        ({"documentaton": "append"}, "there is no list 'documentaton' in kid.json5"),
        ({"persona": "append"}, "there is no list 'persona' in kid.json5"),
    ],
)
def test_a_wrong_word_about_lists_is_refused(
    tmp_path: Path, merge: dict[str, str], said: str
) -> None:
    assert said in load_problems(family(tmp_path, documentation=[], merge=merge))


def test_there_is_nothing_to_merge_with_where_nothing_is_inherited(tmp_path: Path) -> None:
    merge = {"capabilities.tags": "append"}
    assert "/merge (line" in (said := problem(write(tmp_path, "a.json5", {**BASE, "merge": merge})))
    assert said.endswith("there is nothing to merge with: there is no 'from'")


def test_every_part_knows_the_file_that_it_came_from(tmp_path: Path) -> None:
    own = {"purpose": "Kid."}
    path = family(
        tmp_path,
        persona=own,
        capabilities={"tags": ["write"]},
        merge={"capabilities.tags": "append"},
    )
    found = resolve_template(path)
    names = {
        place: found.origin(place).path.name
        for place in [
            ("persona", "purpose"),
            ("persona", "values"),
            ("capabilities", "tags", 0),
            ("capabilities", "tags", 1),
            ("license",),
            ("version",),
        ]
    }
    assert list(names.values()) == [
        "kid.json5",
        "base.json5",
        "base.json5",
        "kid.json5",
        "base.json5",
        "kid.json5",
    ]
    assert found.origin(("capabilities", "tags", 1)).place == ("capabilities", "tags", 0)
