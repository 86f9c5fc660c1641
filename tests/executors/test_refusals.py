"""A cluster that cannot be used is refused before anything is planned."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from harness.cli.bench import bench
from harness.cli.entry import USAGE, WORLD, exit_code_of

RUN = ["suite", "scenario", "--executor", "ray", "--root"]


def test_a_cluster_has_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(bench, ["run", *RUN, str(tmp_path)]) == USAGE
    assert "--ray-address HOST:PORT or RAY_ADDRESS" in capsys.readouterr().err


@pytest.mark.ray
@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("ray://127.0.0.1:10001", USAGE, "call bench on a machine of the cluster"),
        ("auto", USAGE, "'auto' is no address of a Ray cluster; write --ray-address HOST:PORT"),
        ("127.0.0.1:x", USAGE, "is no address"),
        ("127.0.0.1:{closed}", WORLD, "no Ray cluster answers at 127.0.0.1:"),
    ],
)
def test_where_no_cluster_is(
    address: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    given = ["--ray-address", address.format(closed=closed)]
    assert exit_code_of(bench, ["run", *RUN, str(tmp_path), *given]) == code
    assert said in capsys.readouterr().err
