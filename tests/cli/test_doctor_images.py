from __future__ import annotations

from dataclasses import replace

from harness.cli.doctor import prepared
from harness.sandbox.engine import OurImage
from harness.testing.sandbox import AN_ENGINE


def test_prepared_images_are_weighed_and_it_is_said_how_they_go() -> None:
    images = (
        OurImage("mintmark/prepared:1", "prepared", 2**30),
        OurImage("mintmark/prepared:2", "prepared", 2**29),
        OurImage("mintmark/base:1", "base", 2**31),
    )
    (found,) = prepared(replace(AN_ENGINE, images=images))
    assert found.value.startswith("2, 1.5 GiB")
    assert "bench clean" in found.advice


def test_nothing_is_said_of_prepared_images_where_there_are_none() -> None:
    assert list(prepared(AN_ENGINE)) == []
