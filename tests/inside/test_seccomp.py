"""What the kernel refuses inside, and what ordinary programs still get."""

from __future__ import annotations

import json
import platform

import pytest

from tests.inside.talking import SECCOMP, Talk, pack

X86 = platform.machine() == "x86_64"
EPERM, ENOSYS = 1, 38
CLONE_NEWUSER, SIGCHLD = 0x10000000, 17
AF_UNIX, AF_INET, AF_PACKET, AF_ALG, AF_VSOCK = 1, 2, 17, 38, 40

NUMBERS = {  # x86_64, aarch64
    "socket": (41, 198),
    "clone": (56, 220),
    "clone3": (435, 435),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "fsopen": (430, 430),
    "open_tree": (428, 428),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "sethostname": (170, 161),
    "personality": (135, 92),
    "fanotify_init": (300, 262),
    "mbind": (237, 235),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "fchmodat2": (452, 452),
}
SPECIAL = {"socket", "clone", "clone3", "personality", "statmount", "listmount", "fchmodat2"}
REFUSED = [
    *((name, (0, 0, 0, 0, 0), EPERM) for name in NUMBERS if name not in SPECIAL),
    ("socket", (AF_VSOCK, 1, 0), EPERM),
    ("socket", (AF_VSOCK | 1 << 32, 1, 0), EPERM),
    ("socket", (AF_ALG, 5, 0), EPERM),
    ("socket", (AF_PACKET, 3, 0), EPERM),
    ("clone", (CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM),
    ("clone3", (0, 0), ENOSYS),
    ("personality", (0x0040000,), EPERM),
    ("statmount", (0, 0, 0, 0), ENOSYS),
    ("listmount", (0, 0, 0, 0), ENOSYS),
    ("fchmodat2", (0, 0, 0, 0), ENOSYS),
]
GRANTED = [
    ("socket", (AF_UNIX, 1, 0)),
    ("socket", (AF_INET, 1, 0)),
    ("personality", (0xFFFFFFFF,)),
]
CALL = """
import ctypes, json
call = ctypes.CDLL(None, use_errno=True).syscall
def errno_of(number, *args):
    return ctypes.get_errno() if call(number, *map(ctypes.c_long, args)) < 0 else 0
print(json.dumps([errno_of(*words) for words in json.loads(input())]))
"""
ORDINARY = {
    "processes and threads": """python3 - <<'END'
import asyncio, multiprocessing, os, socket, subprocess, threading
context = multiprocessing.get_context("fork")
with context.Pool(3) as pool:
    assert pool.map(abs, range(-3, 0)) == [3, 2, 1]
threads = [threading.Thread(target=abs, args=(1,)) for _ in range(9)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert subprocess.run(["true"]).returncode == 0
async def main():
    assert await (await asyncio.create_subprocess_exec("true")).wait() == 0
    (await asyncio.start_server(print, "127.0.0.1", 0)).close()
asyncio.run(main())
os.mkfifo("/tmp/pipe")
os.memfd_create("x")
socket.socketpair()
END""",
    "spawned processes": 'printf \'import multiprocessing as m\nif __name__ == "__main__":\n'
    '    with m.get_context("spawn").Pool(1) as p: assert p.map(abs, [-1]) == [1]\n\' > /tmp/s.py;'
    " python3 /tmp/s.py",
    "git": "export HOME=/tmp; cd /tmp && git init -q r && cd r && echo a > a && git add a"
    " && git -c user.name=a -c user.email=b commit -qm x && git gc -q && git fsck",
    "node": 'node -e \'const {Worker} = require("worker_threads");'
    ' require("child_process").execFileSync("true");'
    ' const w = new Worker("require(\\"worker_threads\\").parentPort.postMessage(1)",'
    " {eval: true});"
    ' w.on("message", () => require("fs").promises.readFile("/etc/passwd").then(() =>'
    ' require("net").createServer().listen(0, "127.0.0.1", () => process.exit(0))))\'',
}


def errnos(box: Talk, calls: list[tuple[str, tuple[int, ...]]]) -> list[int]:
    column = 0 if X86 else 1
    words = [[NUMBERS[name][column], *args] for name, args in calls]
    shell = f"python3 -c '{CALL}'"
    stdin = pack(json.dumps(words).encode() + b"\n")
    answer: list[int] = json.loads(box.output(shell, stdin=stdin))
    return answer


@pytest.mark.docker
def test_what_is_dangerous_is_refused(agent_box: Talk) -> None:
    found = errnos(agent_box, [(name, args) for name, args, _ in REFUSED])
    assert [(*call[:2], got) for call, got in zip(REFUSED, found, strict=True)] == REFUSED


@pytest.mark.docker
def test_root_of_the_grading_container_is_refused_the_same(grading_box: Talk) -> None:
    found = errnos(grading_box, [(name, args) for name, args, _ in REFUSED])
    assert [(*call[:2], got) for call, got in zip(REFUSED, found, strict=True)] == REFUSED


@pytest.mark.docker
def test_what_is_ordinary_is_granted(agent_box: Talk) -> None:
    assert errnos(agent_box, GRANTED) == [0] * len(GRANTED)


@pytest.mark.docker
@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_programs_work(agent_box: Talk, name: str) -> None:
    done = agent_box.run(ORDINARY[name])
    assert done["exit_code"] == 0, done


def test_the_profile_names_what_is_allowed() -> None:
    profile = json.loads(SECCOMP.read_text())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    assert [arch["architecture"] for arch in profile["archMap"]] == [
        "SCMP_ARCH_X86_64",
        "SCMP_ARCH_AARCH64",
    ]
    free = {
        name
        for rule in profile["syscalls"]
        if rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("args")
        for name in rule["names"]
    }
    assert free.isdisjoint(NUMBERS)
    assert {"read", "futex", "rseq", "mknodat", "openat2", "close_range"} <= free
