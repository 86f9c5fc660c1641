from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.domain.scenario import ImageSource, Scenario
from harness.errors import BadFile, SandboxFault
from harness.sandbox.building import DOCKERFILE, Progress, build_context, failure
from harness.sandbox.dockerfiles import Recipe, Step, generated

BASE = "sha256:0123"

MakeScenario = Callable[..., Scenario]


def _tar(folder: Path | None) -> bytes:
    with build_context(Recipe((Step("FROM x"),), folder)) as file:
        return file.read()


def _members(folder: Path | None) -> dict[str, tarfile.TarInfo]:
    with (
        build_context(Recipe((Step("FROM x"),), folder)) as file,
        tarfile.open(fileobj=file) as tar,
    ):
        return {member.name: member for member in tar}


def _progress(steps: tuple[Step, ...] = ()) -> Progress:
    return Progress(Recipe(steps), "calendar/slots", lambda _: None)


def _run_failed(output: str, code: int = 1) -> tuple[Progress, Mapping[str, Any]]:
    progress = _progress()
    progress.follow([{"stream": "Step 2/5 : RUN make"}, {"stream": "\n"}, {"stream": output}])
    return progress, {"code": code, "message": "The command returned a non-zero code"}


def test_a_context_is_the_same_bytes_whoever_checked_the_files_out(tmp_path: Path) -> None:
    (tmp_path / "tool.sh").write_text("#!/bin/sh\n")
    (tmp_path / "tool.sh").chmod(0o755)
    before = _tar(tmp_path)
    (tmp_path / "tool.sh").chmod(0o700)
    os.utime(tmp_path / "tool.sh", (1, 1))
    assert _tar(tmp_path) == before


def test_a_context_has_what_docker_would_send_without_the_repository(tmp_path: Path) -> None:
    for name in ("kept.txt", "ignored.log", "sub/kept.txt", ".git/HEAD", "Dockerfile"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / ".dockerignore").write_text("# logs\n*.log\n")
    members = _members(tmp_path)
    assert set(members) == {
        "Dockerfile",
        "kept.txt",
        "link",
        "sub",
        "sub/kept.txt",
        ".dockerignore",
        DOCKERFILE,
    }
    assert members["link"].issym()
    assert all(member.uid == member.gid == member.mtime == 0 for member in members.values())


def test_a_generated_image_sends_nothing_but_its_dockerfile() -> None:
    assert set(_members(None)) == {".dockerignore", DOCKERFILE}


def test_a_socket_in_a_context_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadFile, match="pipe: is no file, folder or link"):
        _tar(tmp_path)


def test_people_hear_of_slow_steps_once_and_the_tail_is_of_the_last_one() -> None:
    said: list[str] = []
    recipe = generated(ImageSource(packages=("git",)), BASE)
    progress = Progress(recipe, "calendar/slots", said.append)
    install = recipe.steps[2].text
    error = progress.follow(
        [
            {"stream": f"Step 1/9 : FROM {BASE}"},
            {"stream": " ---> 0123\n"},
            {"stream": f"Step 3/9 : {install}"},
            {"stream": "\n"},
            {"stream": " ---> Running in 77\n"},
            {"stream": "\x1b[91mE: no"},
            {"stream": " such thing\n\x1b[0m"},
            {"stream": "Removing intermediate container 77\n"},
            {"error": "code 100", "errorDetail": {"code": 100, "message": "code 100"}},
        ]
    )
    assert said == ["calendar/slots: 3/9 installing git"]
    assert progress.tail == "E: no such thing"
    assert error == {"code": 100, "message": "code 100"}


def test_the_tail_is_short_however_much_is_printed() -> None:
    progress, _ = _run_failed("".join(f"line {number}\n" for number in range(10_000)))
    assert progress.tail.splitlines() == [f"line {number}" for number in range(9980, 10_000)]


def test_a_scenarios_own_command_is_the_users_to_put_right(make_scenario: MakeScenario) -> None:
    error = failure(make_scenario(), *_run_failed("make: *** no rule\n", code=2))
    assert isinstance(error, BadFile)
    assert "'RUN make' failed with exit code 2" in str(error)
    assert "make: *** no rule" in str(error)


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("E: Unable to locate package gti\n", "image.packages: Unable to locate package gti"),
        ("mintmark: no python3\n", "add `packages: [python3]`"),
        ("mintmark: no apt-get\n", "has no apt-get; install with `setup`"),
    ],
)
def test_known_mistakes_get_a_plain_sentence(
    make_scenario: MakeScenario, output: str, advice: str
) -> None:
    error = failure(make_scenario(), *_run_failed(output))
    assert isinstance(error, BadFile)
    assert advice in str(error)


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("npm ERR! code SELF_SIGNED\nself-signed certificate in chain\n", "BENCH_CA_BUNDLE"),
        ("Temporary failure resolving 'mirror.example'\n", "the network failed"),
        ("E: Failed to fetch http://mirror.example/x  404\n", "the network failed"),
    ],
)
def test_a_network_that_fails_is_not_the_users_mistake(
    make_scenario: MakeScenario, output: str, advice: str
) -> None:
    error = failure(make_scenario(), *_run_failed(output))
    assert isinstance(error, SandboxFault)
    assert advice in str(error)


def test_a_dockerfile_that_the_engine_refuses_is_the_users_to_put_right(
    make_scenario: MakeScenario,
) -> None:
    path = make_scenario().folder / "image/Dockerfile"
    scenario = make_scenario(ImageSource(dockerfile=path))
    refusal = {"message": "dockerfile parse error line 7: unknown instruction: FOO"}
    error = failure(scenario, _progress(), refusal)
    assert isinstance(error, BadFile)
    assert error.path == path
    assert "line 7" not in str(error)


@pytest.mark.parametrize("message", ["no space left on device", "connection is shut down"])
def test_an_engine_in_trouble_is_the_worlds_fault(
    make_scenario: MakeScenario, message: str
) -> None:
    error = failure(make_scenario(), _progress(), {"message": message})
    assert isinstance(error, SandboxFault)
    assert message in str(error)
