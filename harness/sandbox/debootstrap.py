"""Base images from a distribution's own packages, for machines that reach no image registry."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import docker
import docker.utils

from harness.domain.ids import LABEL
from harness.domain.scenario import MIB
from harness.errors import SandboxFault
from harness.sandbox.engine import engine_faults

DEADLINE_S = 1200.0
TAIL_LINES = 15

SCRIPTS = Path("/usr/share/debootstrap/scripts")
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

SLIMMED = ("doc", "groff", "info", "linda", "lintian/overrides", "locale", "man")
"""Folders of /usr/share that slim images leave out."""
KEPT_WHEN_SLIM = frozenset({"copyright", "locale.alias"})

CONFIGURATION: Mapping[str, str] = {
    "etc/apt/apt.conf.d/docker-clean": (
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };\n'
        'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
    ),
    "etc/apt/apt.conf.d/docker-gzip-indexes": 'Acquire::GzipIndexes "true";\n',
    "etc/apt/apt.conf.d/docker-no-languages": 'Acquire::Languages "none";\n',
    "etc/dpkg/dpkg.cfg.d/docker-apt-speedup": "force-unsafe-io\n",
    "etc/machine-id": "",
    "etc/resolv.conf": "",
    # services must not start while packages are installed
    "usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",
}
REMOVED = (
    "debootstrap",
    "etc/hostname",
    "var/cache/apt/*",
    "var/cache/debconf/*-old",
    "var/cache/ldconfig/aux-cache",
    "var/lib/apt/lists/*",
    "var/lib/dpkg/*-old",
    "var/log/*.log",
    "var/log/apt/*",
)
SLIM_DPKG = "".join(f"path-exclude /usr/share/{name}/*\n" for name in SLIMMED) + (
    "path-include /usr/share/doc/*/copyright\npath-include /usr/share/locale/locale.alias\n"
)

_PHASES = ("retrieving", "extracting", "unpacking", "configuring")
_PLAIN = re.compile(r"[A-Za-z0-9/._+-]+")
_SOURCES = ("etc/apt/sources.list", "etc/apt/sources.list.d/*.list")
_DEB_LINE = re.compile(r"^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a distribution and where its packages come from."""

    distribution: str
    suite: str
    mirror: str
    security: str
    keyring: Path
    script: str
    """The debootstrap script of a release that is younger than debootstrap itself."""
    components: tuple[str, ...] = ("main",)
    slim: bool = False

    @property
    def sources(self) -> str:
        """The sources.list of its containers: the release, its updates, its security fixes."""
        components = " ".join(self.components)
        return (
            f"deb {self.mirror} {self.suite} {components}\n"
            f"deb {self.mirror} {self.suite}-updates {components}\n"
            f"deb {self.security} {self.suite}-security {components}\n"
        )


def _debian(suite: str) -> Release:
    host = "http://deb.debian.org"
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    return Release("debian", suite, f"{host}/debian", f"{host}/debian-security", keyring, "sid")


def _ubuntu(suite: str) -> Release:
    mirror, security = "http://archive.ubuntu.com/ubuntu", "http://security.ubuntu.com/ubuntu"
    keyring = Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg")
    return Release("ubuntu", suite, mirror, security, keyring, "gutsy", ("main", "universe"))


RELEASES: Mapping[str, Release] = {
    **{f"debian:{tag}": _debian("bookworm") for tag in ("bookworm", "12")},
    **{f"debian:{tag}": _debian("trixie") for tag in ("trixie", "13")},
    **{f"ubuntu:{tag}": _ubuntu("jammy") for tag in ("jammy", "22.04")},
    **{f"ubuntu:{tag}": _ubuntu("noble") for tag in ("noble", "24.04")},
}


def known_names() -> tuple[str, ...]:
    """Every image name that can be built from packages."""
    slim = (f"{name}-slim" for name in RELEASES if name.startswith("debian:"))
    return tuple(sorted((*RELEASES, *slim)))


def release_of(name: str) -> Release | None:
    """The release that an image name stands for, however the registry is spelled out."""
    short = re.sub(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?", "", name)
    if short not in known_names():
        return None
    release = RELEASES[short.removesuffix("-slim")]
    return replace(release, slim=short.endswith("-slim"))


def with_machine_mirror(release: Release, root: Path = Path("/")) -> Release:
    """The same release from the mirrors this machine installs its own packages from."""
    system = _os_release(root)
    if system.get("ID") != release.distribution:
        return release
    codename = system.get("VERSION_CODENAME", "")
    found = [(uri, suite) for uri, suite in _apt_sources(root) if _is_plain(uri)]
    mirrors = [uri for uri, suite in found if suite == codename]
    security = [uri for uri, suite in found if suite == f"{codename}-security"]
    return replace(
        release,
        mirror=mirrors[0] if mirrors else release.mirror,
        security=security[0] if security else release.security,
    )


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder that only the holder of `lock` uses; what is in it is scrap."""

    folder: Path
    lock: int
    """An open, locked file: debootstrap inherits it, so nobody starts over while it still runs."""

    @property
    def root(self) -> Path:
        """The root of the file system that is being made."""
        return self.folder / "root"


def build(
    client: docker.DockerClient,
    name: str,
    release: Release,
    workplace: Workplace,
    tell: Callable[[str], None],
) -> None:
    """Make the image `name` out of packages; leaves nothing else behind."""
    _refuse(client, name, release)
    clear(workplace.folder)
    try:
        workplace.folder.mkdir(parents=True, mode=0o700)
        workplace.root.mkdir(mode=0o755)
        _debootstrap(name, release, workplace, tell)
        finish(workplace.root, release)
        tell(f"{name}: handing it to the engine")
        with engine_faults(f"import {name}"):
            _import(client, name, workplace.root)
    finally:
        clear(workplace.folder)


def finish(root: Path, release: Release) -> None:
    """Turn what debootstrap leaves into what an image holds; nothing of this machine stays."""
    for pattern in REMOVED:
        for path in root.glob(pattern):
            _delete(path)
    files = {**CONFIGURATION, "etc/apt/sources.list": release.sources}
    if release.slim:
        files["etc/dpkg/dpkg.cfg.d/docker"] = SLIM_DPKG
        for name in SLIMMED:
            _slim(root / "usr/share" / name)
    for name, text in files.items():
        path = root / name
        path.unlink(missing_ok=True)  # never write through a link that leaves the root
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)
    (root / "var/cache/apt/archives/partial").mkdir(parents=True, exist_ok=True)


def clear(folder: Path) -> None:
    """Unmount what is mounted below a folder, then remove it."""
    for point in mounts_below(folder):
        done = subprocess.run(["umount", point], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SandboxFault(
                f"{point} is still mounted ({done.stderr.strip()}):"
                f" unmount it, then remove {folder}"
            )
    if folder.exists():
        # --one-file-system: a mount that appears now must not be emptied
        command = ["rm", "-rf", "--one-file-system", "--", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SandboxFault(f"could not remove {folder}: {done.stderr.strip()}")


def mounts_below(folder: Path, table: str | None = None) -> list[str]:
    """Mount points in a folder, the last mounted first."""
    text = Path("/proc/self/mountinfo").read_text() if table is None else table
    points = [_unescape(line.split()[4]) for line in text.splitlines()]
    return [point for point in reversed(points) if Path(point).is_relative_to(folder)]


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _refuse(client: docker.DockerClient, name: str, release: Release) -> None:
    with engine_faults("describe itself"):
        architecture = str(client.info().get("Architecture", ""))
    problem = None
    if os.geteuid() != 0:
        problem = "needs root: run the command once with sudo"
    elif shutil.which("debootstrap") is None:
        problem = "needs debootstrap: `apt-get install debootstrap`"
    elif not release.keyring.exists():
        package = f"{release.distribution}-{'archive-' * (release.distribution == 'debian')}keyring"
        problem = f"needs {release.keyring}: `apt-get install {package}`"
    elif architecture != os.uname().machine:
        problem = f"cannot be done here: the engine runs on {architecture}"
    if problem:
        raise SandboxFault(
            f"no registry gives out {name}, and building it from packages {problem};"
            " or load the image from a file with `docker load`"
        )


def _debootstrap(
    name: str, release: Release, workplace: Workplace, tell: Callable[[str], None]
) -> None:
    # apt in the containers needs certificates to speak to an https mirror
    secure = any(uri.startswith("https:") for uri in (release.mirror, release.security))
    script = SCRIPTS / release.suite
    with _plain(workplace.root) as target:
        command = [
            "debootstrap",
            "--variant=minbase",
            "--force-check-gpg",
            f"--keyring={release.keyring}",
            f"--components={','.join(release.components)}",
            *(["--include=ca-certificates"] if secure else []),
            release.suite,
            str(target),
            release.mirror,
            str(script if script.exists() else SCRIPTS / release.script),
        ]
        code, tail = _follow(command, workplace.lock, _phase_teller(name, tell))
    if code != 0:
        raise SandboxFault(
            f"debootstrap could not build {name} from {release.mirror} (exit {code}):\n"
            + "\n".join(tail)
        )


@contextmanager
def _plain(path: Path) -> Iterator[Path]:
    """A way to `path` that debootstrap, a shell script, can take: it stumbles over spaces."""
    if _PLAIN.fullmatch(str(path)):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="mintmark-") as folder:
        way = Path(folder, "root")
        way.symlink_to(path)
        yield way


def _follow(
    command: Sequence[str], lock: int, hear: Callable[[str], None]
) -> tuple[int, Sequence[str]]:
    """Run a command in its own session to its end, the deadline, or our own interruption."""
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        pass_fds=(lock,),
    ) as process:
        stop = partial(_kill_session, process.pid)
        timer = threading.Timer(DEADLINE_S, stop)
        timer.start()
        try:
            for line in process.stdout or ():
                tail.append(line.rstrip())
                hear(line)
            return process.wait(), tail
        except BaseException:
            stop()
            raise
        finally:
            timer.cancel()


def _kill_session(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _phase_teller(name: str, tell: Callable[[str], None]) -> Callable[[str], None]:
    waiting = list(_PHASES)

    def hear(line: str) -> None:
        word = line.removeprefix("I: ").partition(" ")[0].lower()
        if word in waiting:
            del waiting[: waiting.index(word) + 1]
            tell(f"{name}: {word} packages")

    return hear


def _import(client: docker.DockerClient, name: str, root: Path) -> None:
    repository, tag = docker.utils.parse_repository_tag(name)
    changes = ['CMD ["bash"]', f"ENV PATH={SEARCH_PATH}", f"LABEL {LABEL}.base=debootstrap"]
    client.api.import_image_from_data(
        _tar(root), repository=repository, tag=tag or "latest", changes=changes
    )


def _tar(root: Path) -> Iterator[bytes]:
    hollow = [f"--exclude=./{name}/*" for name in ("dev", "proc", "sys")]
    command = ["tar", "--numeric-owner", "--sort=name", *hollow, "-C", str(root), "-c", "."]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        if process.stdout:
            yield from iter(partial(process.stdout.read, MIB), b"")
    # raising breaks the request off: the engine drops what it got
    if process.returncode != 0:
        raise SandboxFault(f"tar could not read {root} (exit {process.returncode})")


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _slim(folder: Path) -> None:
    """Keep licences, and the folders of man pages: some packages' scripts write into them."""
    for current, folders, files in os.walk(folder, topdown=False):
        here = Path(current)
        for file in files:
            if file not in KEPT_WHEN_SLIM:
                (here / file).unlink()
        for child in folders:
            with suppress(OSError):  # not empty, or a link to a folder
                if folder.name != "man":
                    (here / child).rmdir()


def _os_release(root: Path) -> dict[str, str]:
    try:
        lines = (root / "etc/os-release").read_text().splitlines()
    except OSError:
        return {}
    return {key: value.strip("\"'") for key, _, value in (line.partition("=") for line in lines)}


def _apt_sources(root: Path) -> Iterator[tuple[str, str]]:
    for pattern in _SOURCES:
        for path in sorted(root.glob(pattern)):
            yield from _DEB_LINE.findall(path.read_text(errors="replace") + "\n")
    for path in sorted(root.glob("etc/apt/sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text(errors="replace")):
            fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
            if "deb" in fields.get("Types", "").split() and fields.get("Enabled") != "no":
                for uri in fields.get("URIs", "").split():
                    yield from ((uri, suite) for suite in fields.get("Suites", "").split())


def _is_plain(uri: str) -> bool:
    """Reachable from a container, and without a password that would end up in an image."""
    return uri.startswith(("http://", "https://")) and "@" not in uri
