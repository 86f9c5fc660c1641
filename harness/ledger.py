"""The ledger: a bare git repository that holds every fixture and every run's final tree.

What an agent made enters as data through `git fast-import` and leaves as data: there is never a
working tree, and no filter, hook or attribute of it takes effect.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple, Self

from harness.domain.changes import (
    EXECUTABLE_MODE,
    FILE_MODE,
    LINK_MODE,
    Change,
    ChangeKind,
    Changes,
)
from harness.domain.ids import Digest, RunId
from harness.domain.record import TreeRef
from harness.domain.scenario import Scenario
from harness.errors import StoreFault, UsageError
from harness.git import ENVIRONMENT, GitRunner
from harness.treefiles import NewFiles, above, files_below, leads_out, refused_part, shown

CONFIG = """\
[core]
	repositoryformatversion = 0
	bare = true
	fsync = all
	fsyncMethod = batch
	logAllRefUpdates = false
	attributesFile = /dev/null
	filesRefLockTimeout = 10000
	packedRefsTimeout = 10000
	bigFileThreshold = 16m
[gc]
	auto = 0
	packRefs = false
[diff]
	renameLimit = 200
"""
"""packRefs: `prune` tells the age of a reference by its file."""

RUNS = "refs/runs/"
FIXTURES = "refs/fixtures/"
PLAIN_DIFF = ("--no-color", "--no-ext-diff", "--no-textconv")
TREE_MODE = "040000"
LEFTOVERS = ("*.lock", "refs/**/*.lock", "fast_import_*")
MAX_LEFT_OUT = 100


class _Entry(NamedTuple):
    mode: str
    object_id: str
    path: bytes


class Ledger:
    """Fixtures at refs/fixtures/<digest>, runs at refs/runs/<id>; processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._git = GitRunner(f"--git-dir={folder}", cwd=folder)
        self._bases: dict[Digest, str] = {}

    @classmethod
    def open(cls, path: Path) -> Self:
        """The ledger in the folder `path`, made if there is none."""
        folder = path.absolute()
        if not (folder / "HEAD").is_file():
            with _disk_faults(f"make the ledger {folder}"):
                folder.parent.mkdir(parents=True, exist_ok=True)
                _make_repository(folder)
        return cls(folder)

    def base(self, digest: Digest, fixture: Path) -> str:
        """The commit of a fixture, made from its files the first time it is asked for."""
        if digest not in self._bases:
            ref = FIXTURES + digest
            with _disk_faults(f"keep the fixture {fixture} in {self._folder}"):
                self._bases[digest] = self._resolve(ref) or self._import_once(ref, fixture)
        return self._bases[digest]

    def record(self, run: RunId, scenario: Scenario, changes: Changes) -> TreeRef:
        """Keep what a run made of its scenario's fixture."""
        return self.commit(run, self.base(scenario.digests.fixture, scenario.fixture), changes)

    def commit(self, run: RunId, base: str, changes: Changes) -> TreeRef:
        """Keep a base with changes laid over it; a run's tree is kept once and never replaced."""
        kept: list[Change] = []
        left_out: dict[str, None] = dict.fromkeys(changes.left_out)
        for change in changes:
            refused = refused_part(change.path, is_link=change.kind is ChangeKind.SYMLINK)
            if refused is None:
                kept.append(change)
            elif len(left_out) < MAX_LEFT_OUT:
                left_out[f"{shown(refused)}: a name that git refuses"] = None
        # a file where a folder was, or the reverse: what goes must go before what comes
        kept.sort(key=lambda change: change.kind is not ChangeKind.DELETE)
        with _disk_faults(f"keep the tree of {run} in {self._folder}"):
            made = self._import(RUNS + run, base, kept)
        counts = self._git.run("diff-tree", "-r", "-z", "-M", "--numstat", *PLAIN_DIFF, base, made)
        return _tree_ref(TreeRef(base, made, 0, 0, 0, tuple(left_out)), counts)

    def diff(self, ref: TreeRef, *, binary: bool = False) -> bytes:
        """What a run changed, as a patch; `binary` makes it one that git can apply whole."""
        options = ("-r", "-p", "-M", *PLAIN_DIFF, *(("--binary",) if binary else ()))
        return self._git.run("diff-tree", *options, ref.base, ref.commit)

    def changes(self, ref: TreeRef) -> Changes:
        """What must be laid over the base to get the tree, by path.

        A file that stands where a folder was is one change, and so is a folder that went.
        """
        raw = self._git.run("diff-tree", "-r", "-t", "-z", "--no-renames", ref.base, ref.commit)
        gone: set[bytes] = set()
        stands: dict[bytes, _Entry] = {}
        fields = raw.split(b"\0")[:-1]
        for head, path in zip(fields[::2], fields[1::2], strict=True):
            _, mode, _, object_id, status = head.decode().lstrip(":").split(" ")
            if status == "D":
                gone.add(path)
            elif mode != TREE_MODE:
                stands[path] = _Entry(mode, object_id, path)
        covered = gone | set(stands)
        deleted = (p for p in gone - set(stands) if not any(up in covered for up in above(p)))
        items = [Change(path, ChangeKind.DELETE) for path in deleted]
        items += [
            Change(entry.path, _kind(entry.mode), int(entry.mode, 8), data)
            for entry, data in self._contents(list(stands.values()))
        ]
        return Changes(tuple(sorted(items)), ref.left_out)

    def checkout(self, ref: TreeRef, folder: Path) -> Sequence[str]:
        """Write a run's final tree into a new or empty folder; says what was not written, and why.

        No link is ever followed; links that lead out of the folder are not written.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not an empty folder; name one that is, or a new one")
        entries = _entries(self._git.run("ls-tree", "-r", "-z", "--full-tree", ref.commit))
        reasons = [(entry, _unwritable(entry)) for entry in entries]
        skipped = [f"{shown(entry.path)}: {reason}" for entry, reason in reasons if reason]
        wanted = [entry for entry, reason in reasons if not reason]
        links: list[tuple[bytes, bytes]] = []
        with _disk_faults(f"write into {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            with closing(NewFiles(folder)) as target:
                for entry, data in self._contents(wanted):
                    if _kind(entry.mode) is ChangeKind.FILE:
                        target.write(entry.path, data, executable=int(entry.mode, 8) & 0o100 != 0)
                    elif leads_out(entry.path, data):
                        skipped.append(f"{shown(entry.path)}: a link out, to {shown(data)}")
                    else:
                        links.append((entry.path, data))
                for path, data in links:
                    target.link(path, data)
        return tuple(skipped)

    def drop(self, run: RunId) -> None:
        """Forget a run's tree; its objects go with a later `prune`."""
        self._git.run("update-ref", "-d", RUNS + run)

    def prune(self, known: AbstractSet[RunId], before: datetime) -> int:
        """Drop the trees, older than `before`, of runs that were never stored; then tidy up.

        A run that is still being graded has a tree and is not stored: `before` must spare it.
        """
        lost = self.lost(known, before)
        for run in lost:
            self.drop(run)
        with _disk_faults(f"tidy up {self._folder}"):
            for left in (path for pattern in LEFTOVERS for path in self._folder.glob(pattern)):
                if _is_older(left, before):
                    left.unlink(missing_ok=True)
        self._git.run("gc", "--quiet")
        return len(lost)

    def lost(self, known: AbstractSet[RunId], before: datetime) -> Sequence[RunId]:
        """Runs that have a tree older than `before` and were never stored."""
        refs = self._git.run("for-each-ref", "--format=%(refname)", RUNS).decode().split()
        runs = (RunId(ref.removeprefix(RUNS)) for ref in refs)
        return tuple(
            run
            for run in runs
            if run not in known and _is_older(self._folder / (RUNS + run), before)
        )

    def size_bytes(self, runs: Sequence[RunId]) -> int:
        """What the trees of these runs take up that no other tree shares."""
        if not runs:
            return 0
        excluded = [f"--exclude={RUNS}{run}" for run in runs]
        names = [RUNS + run for run in runs]
        asked = ("rev-list", "--objects", "--disk-usage", *names, "--not", *excluded, "--all")
        return int(self._git.run(*asked))

    def _resolve(self, ref: str) -> str | None:
        return self._git.run("for-each-ref", "--format=%(objectname)", ref).decode().strip() or None

    def _import_once(self, ref: str, fixture: Path) -> str:
        # two commands that begin at once would both read all of it, and one of them would fail
        with (self._folder / "importing").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return self._resolve(ref) or self._import(ref, None, files_below(os.fsencode(fixture)))

    def _import(self, ref: str, base: str | None, changes: Iterable[Change]) -> str:
        with tempfile.TemporaryFile(dir=self._folder) as stream:
            _write_commit(stream, ref, base, changes)
            stream.seek(0)
            made = self._git.run("fast-import", "--quiet", "--done", stdin=stream)
        return made.decode().strip()

    def _contents(self, entries: Sequence[_Entry]) -> Iterator[tuple[_Entry, bytes]]:
        with tempfile.TemporaryFile(dir=self._folder) as asked:
            asked.write("".join(f"{entry.object_id}\n" for entry in entries).encode())
            asked.seek(0)
            with self._git.stream("cat-file", "--batch", stdin=asked) as answers:
                for entry in entries:
                    head = answers.readline().split()
                    size = int(head[2]) if head[1:2] == [b"blob"] else -1
                    data = answers.read(size + 1)
                    if size < 0 or len(data) != size + 1:
                        raise StoreFault(
                            f"{self._folder} lost the content of {shown(entry.path)}"
                            f" ({entry.object_id}); restore it from a copy"
                        )
                    yield entry, data[:-1]


def _make_repository(folder: Path) -> None:
    made = folder.with_name(f".{folder.name}-{secrets.token_hex(8)}")
    made.mkdir()
    try:
        GitRunner(cwd=made).run("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
        (made / "config").write_text(CONFIG, encoding="utf-8")
        made.rename(folder)
    except OSError:
        # another process may have been first
        if not (folder / "HEAD").is_file():
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _write_commit(out: IO[bytes], ref: str, base: str | None, changes: Iterable[Change]) -> None:
    who = "{GIT_COMMITTER_NAME} <{GIT_COMMITTER_EMAIL}> {GIT_COMMITTER_DATE}".format(**ENVIRONMENT)
    out.write(f"commit {ref}\nmark :1\ncommitter {who}\ndata 0\n".encode())
    out.write(f"from {base}\n".encode() if base else b"")
    for change in changes:
        path = change.path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
        if change.kind is ChangeKind.DELETE:
            out.write(b'D "%s"\n' % path)
            continue
        mode = FILE_MODE
        if change.kind is ChangeKind.SYMLINK:
            mode = LINK_MODE
        elif change.mode & stat.S_IXUSR:
            mode = EXECUTABLE_MODE
        out.write(b'M %o inline "%s"\ndata %d\n' % (mode, path, len(change.data)))
        out.write(change.data)
        out.write(b"\n")
    out.write(b"get-mark :1\ndone\n")


def _tree_ref(ref: TreeRef, numstat: bytes) -> TreeRef:
    fields = iter(numstat.split(b"\0")[:-1])
    files = insertions = deletions = 0
    for counted in fields:
        added, removed, path = counted.split(b"\t", 2)
        if not path:  # a rename: the old and the new name follow
            next(fields)
            next(fields)
        files += 1
        insertions += int(added) if added != b"-" else 0
        deletions += int(removed) if removed != b"-" else 0
    return replace(ref, files_changed=files, insertions=insertions, deletions=deletions)


def _entries(listing: bytes) -> Iterator[_Entry]:
    for line in listing.split(b"\0")[:-1]:
        head, path = line.split(b"\t", 1)
        mode, _, object_id = head.decode().split(" ")
        yield _Entry(mode, object_id, path)


def _kind(mode: str) -> ChangeKind:
    return ChangeKind.SYMLINK if int(mode, 8) == LINK_MODE else ChangeKind.FILE


def _unwritable(entry: _Entry) -> str:
    if int(entry.mode, 8) not in {FILE_MODE, EXECUTABLE_MODE, LINK_MODE}:
        return "not a file or link"
    is_link = _kind(entry.mode) is ChangeKind.SYMLINK
    return "" if refused_part(entry.path, is_link=is_link) is None else "a name that git refuses"


def _is_older(path: Path, than: datetime) -> bool:
    try:
        return path.stat().st_mtime < than.timestamp()
    except FileNotFoundError:
        return True


@contextmanager
def _disk_faults(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreFault(
            f"could not {doing}: {error}; see that the disk has room and the folder may be written"
        ) from error
