"""The Dockerfile of a prepared image: written for a scenario, or its own with our last layer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.domain.scenario import ImageSource
from harness.errors import BadFile, UsageError
from harness.sandbox.base import AGENT_NAME, AGENT_UID, GRADING, HOME, WORKSPACE

LAYOUT = "1"
"""Part of every image's key; raise it when old images must not be used any more."""

TOOLS = "/mintmark"
CERTIFICATES = f"{TOOLS}/ca.crt"
TRUST_VARIABLES = (
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "npm_config_cafile",
)
NO_PYTHON = "mintmark: no python3"
NO_APT = "mintmark: no apt-get"

APT = (
    "apt-get -qq -o Dpkg::Use-Pty=0 -o APT::Update::Error-Mode=any -o Acquire::Retries=3"
    " -o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false"
)
HEAD_STEPS = 3
"""FROM, USER and the packages."""
SLOW = frozenset({"RUN", "COPY", "ADD"})

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]+)?")
_CONTINUED = re.compile(r"\\[ \t]*$")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})")

INSTALL_SCRIPT = f"""\
command -v apt-get >/dev/null || {{ echo '{NO_APT}' >&2; exit 1; }}
export DEBIAN_FRONTEND=noninteractive
{APT} update
{APT} install --yes --no-install-recommends @PACKAGES@
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/log/apt /var/log/dpkg.log
"""

LAST_SCRIPT = f"""\
python3 -I -c 'import sys; sys.exit(sys.version_info < (3, 7))' 2>/dev/null \
|| {{ echo '{NO_PYTHON}' >&2; exit 1; }}
for file in passwd group; do
  touch /etc/$file
  sed -i -e '/^{AGENT_NAME}:/d' -e '/^[^:]*:[^:]*:{AGENT_UID}:/d' /etc/$file
done
shell=/bin/sh
if [ -x /bin/bash ]; then shell=/bin/bash; fi
echo "{AGENT_NAME}:x:{AGENT_UID}:{AGENT_UID}::{HOME}:$shell" >> /etc/passwd
echo '{AGENT_NAME}:x:{AGENT_UID}:' >> /etc/group
mkdir -p {WORKSPACE} {GRADING} {TOOLS} {HOME}
chown {AGENT_UID}:{AGENT_UID} {WORKSPACE} {HOME}
chmod 755 {WORKSPACE} {HOME} {TOOLS}
chmod 700 {GRADING}
rm -f {CERTIFICATES}
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction, and what people are told while it runs; nothing when it takes no time."""

    text: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A Dockerfile step by step, and the folder its COPYs read from, if it has one."""

    steps: tuple[Step, ...]
    context: Path | None = None

    @property
    def text(self) -> str:
        """The Dockerfile."""
        return "".join(f"{step.text}\n" for step in self.steps)

    @property
    def head(self) -> str:
        """What recipes with the same packages have in common: one layer, if it is built once."""
        return "".join(f"{step.text}\n" for step in self.steps[:HEAD_STEPS])

    def trusting(self, certificates: str) -> Recipe:
        """The same recipe where every RUN trusts the bundle in the image `certificates`."""
        variables = " ".join(f"{name}={CERTIFICATES}" for name in TRUST_VARIABLES)
        trust = (
            Step(f"COPY --from={certificates} /ca.crt {CERTIFICATES}"),
            Step(f"ARG {variables}"),
        )
        steps: list[Step] = []
        for step in self.steps:
            steps.append(step)
            if _keyword(step.text) == "FROM":
                steps += trust
        return Recipe(tuple(steps), self.context)

    def labelled(self, label: str) -> Recipe:
        """The same recipe where the image of every stage and step carries a label."""
        steps: list[Step] = []
        for step in self.steps:
            steps.append(step)
            if _keyword(step.text) == "FROM":
                steps.append(Step(f"LABEL {label}=1"))
        return Recipe(tuple(steps), self.context)

    def carrying(self, programs: str) -> Recipe:
        """The same recipe with the files of the image `programs` where the sandbox starts them."""
        steps = (
            Step(f"COPY --from={programs} / {TOOLS}/"),
            Step(
                _run(f"python3 -I -m compileall -q --invalidation-mode unchecked-hash {TOOLS}"),
                "compiling the tool daemon",
            ),
        )
        return Recipe((*self.steps, *steps), self.context)

    def says(self, instruction: str) -> str:
        """What to tell people about an instruction that the engine has begun."""
        return next((step.says for step in self.steps if step.text == instruction), "")


def generated(source: ImageSource, base: str) -> Recipe:
    """The recipe of an image that is a base, packages and set-up commands."""
    bad = [name for name in source.packages if not _PACKAGE.fullmatch(name)]
    if bad:
        raise UsageError(f"image.packages: {bad[0]!r} is no package name")
    steps = [Step(f"FROM {base}"), Step("USER 0")]
    packages = sorted(set(source.packages))
    if packages:
        script = INSTALL_SCRIPT.replace("@PACKAGES@", " ".join(packages))
        steps.append(Step(_run(script), f"installing {', '.join(packages)}"))
    steps += [Step(_run(line), _short(line)) for line in source.setup]
    return Recipe((*steps, *_last_steps()))


def from_file(instructions: Sequence[Instruction], folder: Path, ids: Mapping[str, str]) -> Recipe:
    """A scenario's own Dockerfile, its bases pinned to ids, with our last layer on top."""
    pinned = [instruction.pinned(ids) for instruction in instructions]
    steps = (Step(text, _short(text) if _keyword(text) in SLOW else "") for text in pinned)
    return Recipe((*steps, *_last_steps()), context=folder)


@dataclass(frozen=True, slots=True)
class Instruction:
    """A logical line of a Dockerfile; `base` is the image that a FROM fetches, if it does."""

    text: str
    base: str | None = None

    def pinned(self, ids: Mapping[str, str]) -> str:
        """The instruction with its base named by id."""
        if self.base is None:
            return self.text
        words = self.text.split()
        words[_image_place(words)] = ids[self.base]
        return " ".join(words)


def parse(path: Path) -> tuple[Instruction, ...]:
    """Read a Dockerfile; raises BadFile for what could not be built the same way twice."""
    try:
        texts = tuple(_logical_lines(path.read_text()))
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(path, [f"cannot be read: {error}"]) from error
    problems: list[str] = []
    instructions = tuple(_with_bases(texts, problems))
    if not any(_keyword(text) == "FROM" for text in texts):
        problems.append("has no FROM")
    if problems:
        raise BadFile(path, problems)
    return instructions


def _with_bases(texts: Sequence[str], problems: list[str]) -> Iterator[Instruction]:
    arguments: dict[str, str] = {}
    stages: set[str] = set()
    begun = False
    for text in texts:
        keyword, words = _keyword(text), text.split()
        base = None
        if keyword == "ARG" and not begun:
            name, _, value = text.split(maxsplit=1)[-1].partition("=")
            arguments[name] = value.strip("\"'")
        elif keyword == "FROM" and _image_place(words) == 0:
            problems.append(f"{text!r} names no image")
        elif keyword == "FROM":
            begun = True
            name = _fill(words[_image_place(words)], arguments, problems)
            base = None if name.lower() in stages or name == "scratch" else name
            if words[-2].upper() == "AS":
                stages.add(words[-1].lower())
        elif keyword == "COPY":
            origins = re.findall(r"--from=(\S+)", text)
            problems += [
                f"COPY --from={origin}: give it a stage of its own, `FROM {origin} AS name`"
                for origin in origins
                if origin.lower() not in stages and not origin.isdigit()
            ]
        yield Instruction(text, base)


def _image_place(words: Sequence[str]) -> int:
    """Where in a FROM the image stands: after the flags; 0 when there is none."""
    places = (i for i, word in enumerate(words) if i and not word.startswith("--"))
    return next(places, 0)


def _fill(text: str, arguments: Mapping[str, str], problems: list[str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if not (text := arguments.get(name) or found[3]):
            problems.append(f"FROM uses ${name}, which no ARG above it gives a value")
        return text or name

    return _VARIABLE.sub(value, text)


def _logical_lines(text: str) -> Iterator[str]:
    """Logical lines: comments dropped, continued lines kept together."""
    parts: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if _CONTINUED.search(line):
            parts.append(_CONTINUED.sub("", line))
            continue
        yield "".join((*parts, line)).strip()
        parts = []
    if parts:
        yield "".join(parts).strip()


def _last_steps() -> Sequence[Step]:
    return (
        Step("USER 0"),
        Step(_run(LAST_SCRIPT), "adding the user and the folders of the sandbox"),
        Step("HEALTHCHECK NONE"),
        Step("ENTRYPOINT []"),
        Step('CMD ["/bin/sh"]'),
    )


def _run(script: str) -> str:
    """RUN in the form that no SHELL changes and that holds line breaks."""
    return f"RUN {json.dumps(['/bin/sh', '-euc', script])}"


def _keyword(instruction: str) -> str:
    return instruction.split(maxsplit=1)[0].upper()


def _short(text: str, width: int = 72) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
