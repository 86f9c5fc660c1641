from __future__ import annotations

from dataclasses import replace

from harness.cli.doctor import prepared
from harness.sandbox.engine import EngineReport, OurImage

ENGINE = EngineReport(
    version="28",
    api="1.48",
    cgroup="2",
    cgroup_driver="systemd",
    storage_driver="overlay2",
    security=("seccomp",),
    missing_limits=(),
    local=True,
    root_dir="/var/lib/docker",
    free_bytes=None,
    memory_bytes=2**33,
    cpus=2,
    images=(),
)


def test_prepared_images_are_weighed_and_their_removal_is_a_command() -> None:
    images = (
        OurImage("mintmark/prepared:1", "prepared", 2**30),
        OurImage("mintmark/prepared:2", "prepared", 2**29),
        OurImage("mintmark/base:1", "base", 2**31),
    )
    (found,) = prepared(replace(ENGINE, images=images))
    assert found.value.startswith("2, 1.5 GiB")
    assert (
        "docker image prune --all --filter label=mintmark.prepared --filter until=168h"
        in found.advice
    )


def test_nothing_is_said_of_prepared_images_where_there_are_none() -> None:
    assert list(prepared(ENGINE)) == []
