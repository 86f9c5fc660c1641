"""The git program: run in an environment of its own, its failures told as ours. Its only home."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from git.cmd import Git
from git.exc import CommandError

from harness.errors import StoreFault

ENVIRONMENT: Mapping[str, str] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_DEFAULT_HASH": "sha1",
    "GIT_DEFAULT_REF_FORMAT": "files",
    "GIT_AUTHOR_NAME": "Developer",
    "GIT_AUTHOR_EMAIL": "developer@example.com",
    "GIT_AUTHOR_DATE": "946684800 +0000",
    "GIT_COMMITTER_NAME": "Developer",
    "GIT_COMMITTER_EMAIL": "developer@example.com",
    "GIT_COMMITTER_DATE": "946684800 +0000",
}
"""Nothing of the machine or its user; equal trees on equal bases are equal commits."""


class GitRunner:
    """git in a clean environment; its failures become StoreFault.

    The repository is always named, never searched for: git then does not ask whose it is
    (safe.directory), and nothing above it can take its place.
    """

    def __init__(self, *options: str, cwd: Path) -> None:
        self._options = options
        self._cwd = cwd
        self._git = Git(cwd)
        self._git.update_environment(**ENVIRONMENT)

    def run(self, *arguments: str, stdin: BinaryIO | None = None) -> bytes:
        """What a git command wrote to its standard output; Ctrl-C does not reach it."""
        with self._faults(arguments[0]):
            return self._git.execute(
                self._command(arguments),
                istream=stdin,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                start_new_session=True,
            )

    @contextmanager
    def stream(self, *arguments: str, stdin: BinaryIO) -> Iterator[BinaryIO]:
        """The standard output of a git command while it runs; it is killed when the block ends."""
        with self._faults(arguments[0]):
            process = self._git.execute(
                self._command(arguments), istream=stdin, as_process=True, start_new_session=True
            )
        try:
            yield process.stdout
        finally:
            process.kill()
            process.communicate()

    def _command(self, arguments: Sequence[str]) -> list[str]:
        # GitPython hands the environment on; env(1) takes out what git would hear of it
        inherited = [n for n in os.environ if n.startswith("GIT_") and n not in ENVIRONMENT]
        cleared = [word for name in inherited for word in ("-u", name)]
        git = Git.GIT_PYTHON_GIT_EXECUTABLE or "git"
        return [*(("env", *cleared) if cleared else ()), git, *self._options, *arguments]

    @contextmanager
    def _faults(self, command: str) -> Iterator[None]:
        try:
            yield
        except CommandError as error:
            said = str(error.stderr).strip().removeprefix("stderr:").strip(" '\n") or str(error)
            said = said.splitlines()[0]
            raise StoreFault(
                f"git {command} failed in {self._cwd}: {said}; see that the disk has room and the"
                " folder may be written, then resume"
            ) from error


def commit_everything(folder: Path) -> None:
    """Make a folder a repository of one commit that holds all of it, ignored files too."""
    # named by the folder it runs in: with a work tree option git would note the path for ever
    GitRunner(cwd=folder).run("init", "--quiet", "--template=", "--initial-branch=main")
    plain = ("core.attributesFile=/dev/null", "core.hooksPath=/dev/null", "maintenance.auto=false")
    options = [word for setting in plain for word in ("-c", setting)]
    git = GitRunner(f"--git-dir={folder / '.git'}", f"--work-tree={folder}", *options, cwd=folder)
    # straight into a pack: twenty thousand loose objects take longer than all the rest
    git.run("-c", "core.bigFileThreshold=1", "add", "--all", "--force", ".")
    git.run("commit", "--quiet", "--no-verify", "--allow-empty", "--message=Initial commit")
    # loose objects by the thousand would make the agent's first commit tidy up
    git.run("repack", "-a", "-d", "-q")
