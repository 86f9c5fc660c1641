"""What goes into an image build, what is heard of it, and whose fault it was when it failed."""

from __future__ import annotations

import io
import re
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import docker.utils.build

from harness.domain.digests import NOT_CONTENT
from harness.domain.scenario import ImageSource, Scenario
from harness.errors import BadFile, MintmarkError, SandboxFault
from harness.sandbox.bases import Tell
from harness.sandbox.dockerfiles import NO_APT, NO_PYTHON, Recipe

DOCKERFILE = ".mintmark.Dockerfile"
IGNORE_FILE = ".dockerignore"
SPOOL_BYTES = 8 * 1024 * 1024

TAIL_LINES = 20
TAIL_CHARS = 8000

_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NOISE = re.compile(r"^(?: ---> |Removing intermediate container ).*\n", re.MULTILINE)
_NO_PACKAGE = re.compile(
    r"^E: ((?:Unable to locate package|Package .* has no installation candidate"
    r"|Version .* was not found|Couldn't find any package by).*)$",
    re.MULTILINE,
)
_NO_NETWORK = re.compile(
    r"temporary failure (?:in name resolution|resolving)|could not resolve"
    r"|name or service not known|network is unreachable|no route to host|failed to fetch"
    r"|connection (?:timed out|refused|reset)|read timed out|max retries exceeded"
    r"|\b(?:ETIMEDOUT|EAI_AGAIN|ENOTFOUND|ECONNRESET|ECONNREFUSED)\b",
    re.IGNORECASE,
)
_NO_TRUST = re.compile(
    r"CERTIFICATE_VERIFY_FAILED|certificate verif(?:y|ication) failed|self[- ]signed certificate"
    r"|UNABLE_TO_(?:GET|VERIFY)|unable to get local issuer",
    re.IGNORECASE,
)
_OWN_DOCKERFILE = re.compile(
    r"dockerfile parse error|syntax error|unknown (?:instruction|flag)|(?:COPY|ADD) failed"
    r"|requires? BuildKit|must be|can't be|is not allowed|invalid",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Progress:
    """Listens to a build: tells people the slow steps and keeps the end of what a step printed."""

    recipe: Recipe
    subject: str
    tell: Tell
    step: str = ""
    _output: str = field(default="", init=False)

    def follow(self, events: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """Hear the build out; what stopped it, as the engine describes it, or None."""
        for event in events:
            if "error" in event:
                return dict(event.get("errorDetail") or {"message": event["error"]})
            self._hear(str(event.get("stream", "")))
        return None

    @property
    def tail(self) -> str:
        """The last lines that the step printed."""
        lines = _NOISE.sub("", _COLOUR.sub("", self._output)).strip().splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def _hear(self, text: str) -> None:
        begun = _STEP.fullmatch(text)
        if begun is None:
            self._output = (self._output + text)[-TAIL_CHARS:]
            return
        self.step, self._output = begun[3].strip(), ""
        if says := self.recipe.says(self.step):
            self.tell(f"{self.subject}: {begun[1]}/{begun[2]} {says}")


@contextmanager
def build_context(recipe: Recipe) -> Iterator[IO[bytes]]:
    """The tar of a build; the same files make the same bytes, whoever checked them out."""
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            if recipe.context:
                for name in _chosen(recipe.context):
                    _add_path(tar, recipe.context, name)
            # the engine takes these two out again before the first COPY
            add_bytes(tar, IGNORE_FILE, f"{IGNORE_FILE}\n{DOCKERFILE}\n".encode())
            add_bytes(tar, DOCKERFILE, recipe.text.encode())
        file.seek(0)
        yield file


def add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """One file of mode 644 that belongs to root."""
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def failure(scenario: Scenario, progress: Progress, error: Mapping[str, Any]) -> MintmarkError:
    """Whose fault a failed build is: the scenario's own step, or the world's."""
    source = scenario.image
    message, code, tail = str(error.get("message", "")), error.get("code"), progress.tail
    where = source.dockerfile or scenario.folder
    if not code:
        return _refused_by_engine(scenario, where, message)
    if known := _known_problems(source, tail):
        return BadFile(where, known)
    step = progress.recipe.says(progress.step) or progress.step
    told = f"{step!r} failed with exit code {code} while the image was built"
    if advice := _network_advice(tail):
        return SandboxFault(f"{scenario.key}: {told}; {advice}\n{tail}")
    return BadFile(where, [f"image: {told}; its last output:\n{tail}"])


def _refused_by_engine(scenario: Scenario, where: Path, message: str) -> MintmarkError:
    if 'exec: "/bin/sh"' in message:
        return BadFile(where, ["image: there is no /bin/sh in it, which every sandbox needs"])
    if not scenario.image.dockerfile or not is_own_fault(message):
        return SandboxFault(f"could not build the image of {scenario.key}: {message}")
    # the line would be one of the text that we sent
    problem = re.sub(r" line \d+:", ":", message)
    if "unknown instruction" in problem:
        problem += " (here-documents need BuildKit, which is not used)"
    return BadFile(where, [problem])


def _known_problems(source: ImageSource, tail: str) -> list[str]:
    if NO_PYTHON in tail:
        wanted = "image: the sandbox's tools need Python 3.7 or newer"
        if source.dockerfile:
            return [f"{wanted}: install python3 in the last stage"]
        return [f"{wanted}: add `packages: [python3]`"]
    if NO_APT in tail:
        return [f"image.packages: {source.name} has no apt-get; install with `setup` instead"]
    return [f"image.packages: {line}" for line in _NO_PACKAGE.findall(tail)]


def _network_advice(tail: str) -> str:
    if _NO_TRUST.search(tail):
        return "the network here needs a CA bundle: name it in BENCH_CA_BUNDLE"
    if _NO_NETWORK.search(tail):
        return "the network failed: try again, or set the proxy variables"
    return ""


def is_own_fault(message: str) -> bool:
    """Whether the engine complains about what a Dockerfile says."""
    return _OWN_DOCKERFILE.search(message) is not None


def _chosen(folder: Path) -> list[str]:
    """Names below a folder that its .dockerignore leaves, as `docker build` understands it."""
    ignore = folder / IGNORE_FILE
    patterns = ignore.read_text().splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in patterns if line.strip() and not line.startswith("#")]
    names = docker.utils.build.exclude_paths(folder, patterns, dockerfile=DOCKERFILE)
    skipped = {NOT_CONTENT.decode(), IGNORE_FILE}
    return sorted(name for name in names if not skipped.intersection(Path(name).parts))


def _add_path(tar: tarfile.TarFile, folder: Path, name: str) -> None:
    path = folder / name
    entry = tar.gettarinfo(path, arcname=name)
    # gettarinfo has no name for a socket
    if entry is None or not (entry.isreg() or entry.isdir() or entry.issym()):
        raise BadFile(path, ["is no file, folder or link; an image cannot hold it"])
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & stat.S_IXUSR else 0o644
    if entry.isreg():
        with path.open("rb") as file:
            tar.addfile(entry, file)
    else:
        tar.addfile(entry)
