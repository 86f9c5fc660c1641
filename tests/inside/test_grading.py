from __future__ import annotations

import subprocess
from pathlib import Path

from tests.inside.talking import grade_on_the_host, lay, messages, runner, verdicts

APP = {
    "src/app.py": """
import os, sys, time, asyncio
def add(a, b): return a + b
def same(value): return value
def show(name): return os.environ.get(name)
def bad(): raise KeyError("no such thing")
def hang(): time.sleep(99)
def leave(): os._exit(0)
def odd(kind):
    class Loud(Exception):
        def __str__(self): raise RuntimeError
    values = {"set": {1}, "key": {1: 2}, "object": object()}
    values.update(nan=float("nan"), inf=[float("inf")])
    if kind == "loud": raise Loud
    if kind == "exit": sys.exit(0)
    if kind == "deep":
        value = []
        for _ in range(100000): value = [value]
        return value
    return values[kind]
def large(): return "x" * 3000000
def tuples(): return (1, (2, None), {"a": ()})
class Box:
    @staticmethod
    def full(): return True
""",
}
HEAD = """
from grading import Done, Raised, call, cases, node, python, read, run
def kind(act, *args, **more):
    try:
        return act(*args, **more)
    except Raised as error:
        return error.type
"""


def grade(folder: Path, body: str, *options: str) -> dict[str, str]:
    return verdicts(grade_on_the_host(folder, {"test_it.py": HEAD + body}, APP, *options))


def check(folder: Path, *lines: str) -> None:
    """Each line is the body of one hidden test, and each must pass."""
    body = "\n".join(f"def test_{n}():\n    {line}" for n, line in enumerate(lines))
    report = grade_on_the_host(folder, {"test_it.py": HEAD + body}, APP)
    assert verdicts(report) == {f"test_it.py::test_{n}": "passed" for n in range(len(lines))}, (
        messages(report)
    )


def test_values_cross_as_plain_json(tmp_path: Path) -> None:
    check(
        tmp_path,
        'assert call("app:add", 1, 2) == 3',
        'assert call("app:Box.full") is True',
        'assert call("app:add", 1, kwargs={"b": 2}) == 3',
        'assert call("app:tuples") == [1, [2, None], {"a": []}]',
        'value = ["é\\x00\\ud800", -1, 2**70, 0.5, None, True, {"k": []}]\n'
        '    assert call("app:same", value) == value',
        'assert call("app:same", True) is True',
    )


def test_what_json_cannot_carry_is_no_answer(tmp_path: Path) -> None:
    kinds = ("set", "key", "nan", "inf", "object")
    check(
        tmp_path,
        *(f'assert kind(call, "app:odd", "{kind}") == "NotPlain"' for kind in kinds),
        'assert kind(call, "app:odd", "deep") == "RecursionError"',
        'assert kind(call, "app:large") == "TooLarge"',
    )


def test_an_exception_crosses_as_its_type_and_message(tmp_path: Path) -> None:
    check(
        tmp_path,
        'try:\n        call("app:bad")\n        assert False\n'
        "    except Raised as error:\n"
        '        assert (error.type, error.message) == ("KeyError", "\'no such thing\'")\n'
        '        assert error.is_a("LookupError") and not error.is_a("ValueError")\n'
        '        assert error.phase == "call"',
        'assert kind(call, "no_such_module:x") == "ModuleNotFoundError"',
        'assert kind(call, "app:no_such_name") == "AttributeError"',
        'assert kind(call, "app:odd", "loud") == "Loud"',
        'assert kind(call, "app:odd", "exit") == "SystemExit"',
    )


def test_a_worker_that_does_not_answer_is_named_so(tmp_path: Path) -> None:
    check(
        tmp_path,
        'assert kind(call, "app:leave") == "ExitedEarly"',
        'assert kind(call, "app:hang", timeout_s=0.2) == "Timeout"',
        'assert kind(run, ["sleep", "9"], timeout_s=0.2) == "Timeout"',
    )


FORGED = [
    ("not json", "BadResult"),
    ("[1]", "BadResult"),
    ('{"value": 1, "more": 2}', "BadResult"),
    ('{"value": NaN}', "BadResult"),
    ('{"value": 1e999}', "BadResult"),
    ('{"value": 1}{"value": 1}', "BadResult"),
    ('{"raised": 3}', "None"),
    ('{"value": ' + "[" * 200_000, "BadResult"),
    ('{"value": "' + "x" * 2_000_000 + '"}', "TooLarge"),
    ("", "ExitedEarly"),
]


def test_a_forged_answer_is_no_value(tmp_path: Path) -> None:
    forge = "import os\ndef f(n):\n    text = open(f'forged{n}').read().encode()\n    while text:\n"
    forge += "        text = text[os.write(3, text):]\n    os._exit(0)\n"
    files = {f"forged{n}": written for n, (written, _) in enumerate(FORGED)}
    body = f"@cases({[[n, said] for n, (_, said) in enumerate(FORGED)]!r})\ndef test_f(case):\n"
    body += '    assert kind(call, "forge:f", case[0]) == case[1]\n'
    report = grade_on_the_host(tmp_path, {"test_it.py": HEAD + body}, {"forge.py": forge, **files})
    assert set(verdicts(report).values()) == {"passed"}, messages(report)


def test_a_driver_runs_in_the_worker(tmp_path: Path) -> None:
    source = '"from app import add\\ndef main(a):\\n    return [add(a, a)]"'
    check(tmp_path, f'assert python({source}, "x") == ["xx"]')


def test_a_program_is_judged_by_what_it_does(tmp_path: Path) -> None:
    check(
        tmp_path,
        'done = run(["sh", "-c", "cat; echo $A >&2; exit 3"], stdin="in", env={"A": "b"})\n'
        '    assert (done.exit_code, done.stdout, done.stderr) == (3, "in", "b\\n")',
        'assert run(["sh", "-c", "kill -9 $$"]).exit_code == -9',
        'assert kind(run, ["no-such-program"]) == "FileNotFoundError"',
        'done = run(["sh", "-c", "head -c 3000000 /dev/zero"])\n'
        "    assert done.truncated and len(done.stdout) < 1100000",
    )


def test_the_environment_of_a_worker_is_clean_and_the_same_each_time(tmp_path: Path) -> None:
    names = '"def main():\\n    import os\\n    return sorted(os.environ)"'
    order = '"def main():\\n    return list({chr(n) for n in range(97, 123)})"'
    check(
        tmp_path,
        f"assert set(python({names})) - {{'LC_CTYPE'}} == {{'PATH', 'HOME', 'LANG', 'TZ',"
        " 'PYTHONHASHSEED', 'PYTHONDONTWRITEBYTECODE'}",
        f"assert python({order}) == python({order})",
        'assert call("app:show", "TZ", env={"TZ": "Asia/Tokyo"}) == "Asia/Tokyo"',
    )


def test_reading_takes_no_link_no_pipe_and_no_way_out(tmp_path: Path) -> None:
    workspace = lay(tmp_path / "workspace", {"a/b.txt": "héllo"})
    (workspace / "link").symlink_to("/etc/passwd")
    (workspace / "folder").symlink_to("/etc")
    (workspace / "latin").write_bytes(b"\xff")
    subprocess.run(["mkfifo", workspace / "pipe"], check=True)
    wanted = {
        "link": "SymbolicLink",
        "folder/passwd": "SymbolicLink",
        "pipe": "NotRegular",
        "a": "IsADirectoryError",
        "none": "FileNotFoundError",
        "a/b.txt/c": "NotADirectoryError",
        "../workspace/a/b.txt": "ValueError",
        "/etc/passwd": "ValueError",
        "latin": "UnicodeDecodeError",
    }
    check(
        tmp_path,
        'assert read("a/b.txt") == read("./a//b.txt") == "héllo"',
        *(f"assert kind(read, {path!r}) == {said!r}" for path, said in wanted.items()),
    )


def test_cases_become_tests_of_their_own(tmp_path: Path) -> None:
    body = "@cases([1, [2]])\ndef test_x(case):\n    assert case == 1\n"
    assert grade(tmp_path, body) == {
        "test_it.py::test_x[0]": "passed",
        "test_it.py::test_x[1]": "failure",
    }


def test_a_failure_shows_both_sides(tmp_path: Path) -> None:
    body = 'def test_x():\n    assert call("app:add", 1, 2) == 4\n'
    report = grade_on_the_host(tmp_path, {"test_it.py": HEAD + body}, APP)
    said = messages(report)["test_it.py::test_x"]
    assert "3 == 4" in said
    assert 'assert call("app:add", 1, 2) == 4' in said


def test_every_kind_of_ending_has_its_verdict(tmp_path: Path) -> None:
    body = """
import unittest
def test_fails(): assert 0, "so"
def test_raised(): call("app:bad")
def test_wrong(): {}["x"]
def test_skips(): raise unittest.SkipTest("not here")
def test_exits(): raise SystemExit(0)
def test_swallows():
    try:
        while True: pass
    except Exception: pass
def test_returns(): return True
"""
    assert grade(tmp_path, body, "--test-timeout-s", "0.3") == {
        "test_it.py::test_fails": "failure",
        "test_it.py::test_raised": "failure",
        "test_it.py::test_wrong": "error",
        "test_it.py::test_skips": "skipped",
        "test_it.py::test_exits": "error",
        "test_it.py::test_swallows": "failure",
        "test_it.py::test_returns": "error",
    }


def test_a_test_has_an_end_whatever_its_workers_do(tmp_path: Path) -> None:
    body = """
def test_a():
    for _ in range(9):
        try: call("app:hang", timeout_s=20)
        except Exception: pass
def test_b(): pass
"""
    assert grade(tmp_path, body, "--test-timeout-s", "0.5") == {
        "test_it.py::test_a": "failure",
        "test_it.py::test_b": "passed",
    }


def test_tests_after_the_budget_fail(tmp_path: Path) -> None:
    body = 'def test_a(): kind(call, "app:hang")\ndef test_b(): pass\n'
    assert set(grade(tmp_path, body, "--budget-s", "0.3").values()) == {"failure"}


def test_a_file_that_does_not_load_is_an_error_and_the_others_run(tmp_path: Path) -> None:
    tests = {
        "test_a.py": "import nothing_of_that_name",
        "test_b.py": "import helper\ndef test_x(): assert helper.ONE == 1",
        "test_c.py": "class TestX:\n    def test_y(self): pass",
        "helper.py": "ONE = 1",
        "other.py": "def test_never(): pass",
    }
    assert verdicts(grade_on_the_host(tmp_path, tests, APP)) == {
        "test_a.py::load": "error",
        "test_b.py::test_x": "passed",
        "test_c.py::load": "error",
    }


def test_what_the_agents_code_says_cannot_break_the_report(tmp_path: Path) -> None:
    nasty = "\\x00\\x1b[31m\\ud800\\uffff]]><failure/>&\\\"'é\\U0001f600"
    body = f'def test_x():\n    assert call("app:same", "{nasty}") == 1\n'
    report = grade_on_the_host(tmp_path, {"test_it.py": HEAD + body}, APP)
    assert verdicts(report) == {"test_it.py::test_x": "failure"}
    assert "é😀" in messages(report)["test_it.py::test_x"]


def test_the_report_can_go_to_a_path_or_a_descriptor(tmp_path: Path) -> None:
    hidden = lay(tmp_path / "hidden", {"test_a.py": "def test_x(): pass"})
    with (tmp_path / "by-descriptor.xml").open("wb") as file:
        for where in (str(tmp_path / "by-path.xml"), str(file.fileno())):
            command = runner(hidden, tmp_path, where)
            subprocess.run(command, check=True, pass_fds=[file.fileno()], capture_output=True)
    for name in ("by-path.xml", "by-descriptor.xml"):
        assert verdicts((tmp_path / name).read_bytes()) == {"test_a.py::test_x": "passed"}


def test_a_report_that_cannot_be_written_is_noticed_before_any_test(tmp_path: Path) -> None:
    hidden = lay(tmp_path / "hidden", {"test_a.py": "print('ran')\ndef test_x(): pass"})
    command = runner(hidden, tmp_path, str(tmp_path / "no" / "folder.xml"))
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode != 0
    assert done.stdout == b""


def test_nothing_of_the_workspace_is_imported_by_the_runner(tmp_path: Path) -> None:
    shadow = "import os; os._exit(0)"
    names = ("json", "grading", "hidden", "argparse", "sitecustomize", "usercustomize", "processes")
    files = {**APP, **{f"{name}.py": shadow for name in names}, "src/json.py": "loads = None"}
    tests = {"test_it.py": HEAD + "def test_x():\n    assert call('app:add', 1, 2) == 3\n"}
    report = grade_on_the_host(tmp_path, tests, files)
    assert verdicts(report) == {"test_it.py::test_x": "passed"}
