"""Starts a process, under another uid if asked, and follows it to its end or deadline."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import time
from contextlib import suppress
from pipes import CHUNK, RESULT, STDERR, Capture, Pipes

from endings import PATIENCE_S, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, Prctl, Warden

MYPY = False
if MYPY:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pipes import Sink

    Identity = tuple[int, int]

GRACE_S = 0.1
LEFTOVERS = 64
LEFTOVER_PERIOD_S = 0.05
ABOVE_ALL_TARGETS = 64
FAILED_TO_START = 127
LONGEST = 150
FIRST_CHOICE_WHEN_MEMORY_ENDS = b"1000"
RESTORED = ("SIGPIPE", "SIGXFSZ", "SIGTERM", "SIGINT", "SIGHUP", "SIGCHLD", "SIGALRM")


class SpawnError(Exception):
    """The process did not start; `stage` says what was being done."""

    def __init__(self, number: int, stage: str) -> None:
        super().__init__("{}: {}".format(stage, os.strerror(number)))
        self.errno = number
        self.stage = stage


class Command:
    """What to run, for how long, and as whom; an action runs in the child instead of a program."""

    def __init__(self, argv: Sequence[str], *, cwd: str, timeout_s: float) -> None:
        self.argv = list(argv)
        self.cwd = cwd
        self.timeout_s = timeout_s
        self.env: Mapping[str, str] = {}
        self.stdin: bytes | None = None
        self.output_bytes = CHUNK
        self.result_bytes = 0
        self.identity: Identity | None = None
        self.end_all_after = False
        self.action: Callable[[], Iterable[bytes]] | None = None
        self.sink: Sink | None = None


class Finished:
    """How it went; `exit_code` is None when a signal ended the main process."""

    def __init__(self, status: int, pipes: Pipes) -> None:
        self.exit_code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        self.stdout: Capture = pipes.out
        self.stderr: Capture = pipes.err
        self.result: Capture = pipes.result
        self.timed_out = False
        self.survivors = 0
        self.duration_s = 0.0


class Processes:
    """Forks, waits and kills, without threads; one per program, built before any work."""

    def __init__(self) -> None:
        self._prctl = Prctl()
        self.warden = Warden(self._prctl)
        self._oom_score = _open_oom_score()
        self._prctl(PR_SET_DUMPABLE, 0)
        self._leftover: list[int] = []
        self.wake, write = os.pipe()
        for end in (self.wake, write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(write)
        signal.signal(signal.SIGCHLD, _nothing)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.umask(0o022)
        keep_to_ourselves()

    def run(self, command: Command) -> Finished:
        """Run until the main process ends or the deadline comes; raises SpawnError."""
        started = time.monotonic()
        pipes = _open_pipes(command)
        pid = 0
        try:
            pid = self._spawn(command, pipes)
            pipes.started()
            status = self._follow(pid, pipes, started + command.timeout_s)
            timed_out = status is None
            survivors = 0
            if timed_out or command.end_all_after:
                survivors = self._end(command, pid)
            if status is None:
                status = self._last_status(pid)
            pipes.drain(GRACE_S)
            self._keep_draining(pipes.release())
        except BaseException:
            if pid:
                self._end(command, pid)
            raise
        finally:
            pipes.close()
            self.warden.forget(pid)
        _raise_failure(pipes)
        done = Finished(status, pipes)
        done.timed_out, done.survivors = timed_out, survivors
        done.duration_s = time.monotonic() - started
        return done

    def drain_leftovers(self) -> bool:
        """Read once from pipes that background processes still hold; False when there are none."""
        for fd in list(self._leftover):
            try:
                open_still = bool(os.read(fd, CHUNK))
            except BlockingIOError:
                open_still = True
            if not open_still:
                self._leftover.remove(fd)
                os.close(fd)
        return bool(self._leftover)

    def tidy(self) -> None:
        """Forget the wake-ups that came and reap whoever died."""
        with suppress(BlockingIOError):
            os.read(self.wake, CHUNK)
        self.warden.reap()

    def _follow(self, pid: int, pipes: Pipes, deadline: float) -> int | None:
        pipes.also_wake_on(self.wake)
        while True:
            self.tidy()
            status = self.warden.status(pid)
            left = deadline - time.monotonic()
            if status is not None or left <= 0:
                return status
            pipes.step(min(left, LEFTOVER_PERIOD_S if self.drain_leftovers() else 1.0))

    def _end(self, command: Command, pid: int) -> int:
        if command.action is not None:
            return self._end_one(pid)
        uid = os.getuid() if command.identity is None else command.identity[0]
        return self.warden.end(uid)

    def _end_one(self, pid: int) -> int:
        if self.warden.status(pid) is None:
            os.kill(pid, signal.SIGKILL)
        return 0

    def _last_status(self, pid: int) -> int:
        """What became of a killed child; one that the kernel does not let go counts as killed."""
        until = time.monotonic() + PATIENCE_S
        status = self.warden.status(pid)
        while status is None and time.monotonic() < until:
            time.sleep(0.001)
            status = self.warden.status(pid)
        return signal.SIGKILL if status is None else status

    def _keep_draining(self, held: list[int]) -> None:
        self._leftover.extend(held)
        while len(self._leftover) > LEFTOVERS:
            os.close(self._leftover.pop(0))

    def _spawn(self, command: Command, pipes: Pipes) -> int:
        self._prefer_to_lose(FIRST_CHOICE_WHEN_MEMORY_ENDS)
        try:
            pid = os.fork()
        except OSError as error:
            raise SpawnError(error.errno or errno.EAGAIN, "fork") from error
        finally:
            self._prefer_to_lose(None)
        if pid == 0:
            self._child(command, pipes)
        self.warden.watch(pid)
        return pid

    def _child(self, command: Command, pipes: Pipes) -> None:
        report, stage = pipes.report, "child"
        try:
            os.setsid()
            _restore_signals()
            report = _arrange(pipes)
            stage = "user"
            self._become(command.identity)
            _make_home(command.env.get("HOME"))
            stage = "folder"
            os.chdir(command.cwd)
            stage = "program"
            if command.action is not None:
                for piece in command.action():
                    _write_all(RESULT, piece)
                os._exit(0)
            _execute(command)
        except OSError as error:
            os.write(report, "{} {}".format(error.errno or errno.EIO, stage).encode())
        except BaseException as error:  # noqa: BLE001  # nothing may return into a copy of the parent
            os.write(report, "{} {}: {!r}".format(errno.EIO, stage, error).encode()[:LONGEST])
        finally:
            os._exit(FAILED_TO_START)

    def _become(self, identity: Identity | None) -> None:
        """Drop for good; no program started from here gains anything back."""
        if identity is not None and identity != (os.getuid(), os.getgid()):
            uid, gid = identity
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            if os.getresuid() != (uid,) * 3 or os.getresgid() != (gid,) * 3:
                raise PermissionError(errno.EPERM, "not dropped")
        self._prctl(PR_SET_NO_NEW_PRIVS, 1)

    def _prefer_to_lose(self, score: bytes | None) -> None:
        if self._oom_score is None:
            return
        fd, own = self._oom_score
        try:
            os.pwrite(fd, own if score is None else score, 0)
        except OSError:  # not allowed here: the largest process is chosen, as everywhere
            return


def keep_to_ourselves() -> None:
    """No child inherits what this process was started with."""
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd > STDERR:
            try:
                os.set_inheritable(fd, False)
            except OSError:  # the descriptor of the listing itself
                continue


def _open_pipes(command: Command) -> Pipes:
    try:
        pipes = Pipes(
            command.stdin, output_bytes=command.output_bytes, result_bytes=command.result_bytes
        )
    except OSError as error:
        raise SpawnError(error.errno or errno.EMFILE, "pipes") from error
    if command.sink is not None:
        pipes.send_result_to(command.sink)
    return pipes


def _open_oom_score() -> tuple[int, bytes] | None:
    """Opened while /proc still belongs to us: children inherit the score of the moment."""
    try:
        fd = os.open("/proc/self/oom_score_adj", os.O_RDWR)
    except OSError:
        return None
    return fd, os.pread(fd, 16, 0)


def _arrange(pipes: Pipes) -> int:
    high = fcntl.F_DUPFD_CLOEXEC
    report = fcntl.fcntl(pipes.report, high, ABOVE_ALL_TARGETS)
    moved = {to: fcntl.fcntl(fd, high, ABOVE_ALL_TARGETS) for to, fd in pipes.childs.items()}
    for to, fd in moved.items():
        os.dup2(fd, to)
    return report


def _restore_signals() -> None:
    signal.set_wakeup_fd(-1)
    for name in RESTORED:
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _make_home(home: str | None) -> None:
    if home is not None:
        try:
            os.mkdir(home, 0o700)
        except OSError:  # it is there, or this user may not have one
            return


def _execute(command: Command) -> None:
    env = {os.fsencode(key): os.fsencode(value) for key, value in command.env.items()}
    name = command.argv[0]
    folders = [""] if "/" in name else command.env.get("PATH", os.defpath).split(":")
    problem = errno.ENOENT
    for folder in folders:
        try:
            os.execve(os.path.join(folder, name), command.argv, env)  # noqa: S606  # its purpose
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                problem = error.errno or problem
    raise OSError(problem, os.strerror(problem))


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest[:CHUNK]) :]


def _raise_failure(pipes: Pipes) -> None:
    number, _, stage = pipes.failure.kept().decode("ascii", "replace").partition(" ")
    if stage:
        raise SpawnError(int(number), stage)


def _nothing(_number: int, _frame: object) -> None:
    """A handler must exist for the wake-up to be written."""
