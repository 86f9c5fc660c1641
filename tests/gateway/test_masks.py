from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gateway.exchange import Exchange
from harness.gateway.masks import mask_printed, mask_said
from harness.gateway.matching import Player
from harness.gateway.recording import Recorder

UUIDS = "6f1c2e34-0b7a-4b7e-9d3e-1f2a3b4c5d6e", "01999c00-0b7a-7b7e-9d3e-1f2a3b4c5d6e"
HEXES = "0123456789abcdef" * 2, "fedcba9876543210" * 2

SAID = [
    ("Today's date is {}.", "2026-01-02", "2026-11-21"),
    ("Today's date: {}", "2026-01-02", "2026-11-21"),
    ("Today’s date: {}", "Sat Nov 21 2026", "Sunday, November 22, 2026"),
    ("<current_date>{}</current_date>", "2026-01-02", "2026-11-21"),
    ("Current date and time: {}", "2026-01-02T03:04:05.123Z", "2026-11-21 10:00:00 +01:00"),
    ("Current date: {}", "November 21, 2026", "Dec 1 2026"),
    ("Session ID: {}", *UUIDS),
    ('{{"session_id": "{}"}}', *UUIDS),
    ("request_id={}", *HEXES),
    ("Write to /tmp/claude-0/-work/{}/scratchpad", *UUIDS),
    ("see /home/agent/.codex/sessions/2026/rollout-{}.jsonl", *UUIDS),
    ("pwd >| /tmp/claude-{}-cwd", "ab12", "99ff"),
    ("/tmp/tmp{}/a.py", "a1b2c3d4", "x_y0z1q2"),
    ("/tmp/tmp.{}", "Ab12Cd34Ef", "QwErTyUiOp"),
    ("/tmp/build-{}/x", "a1B2c3", "Z9y8X7"),
    (
        "x-anthropic-billing-header: cc_version=2.1.197.{}; cch=00000;",
        "fd1",
        "a02",
    ),
]

PRINTED = [
    ("created {} ok", "2026-01-02T03:04:05Z", "2026-11-21 10:00:00,123"),
    ("{}", "Sat Nov 21 11:21:50 UTC 2026", "Sun Nov 22 09:00:01 UTC 2026"),
    ("-rw-r--r-- 1 a a 5 {} x.py", "Nov 21 11:21", "Dec  1 08:00"),
    ("3 passed in {}", "0.03s", "12.50s"),
    ("Ran 3 tests in {}", "0.002s", "1.250s"),
    ("  ok adds ({})", "5 ms", "12 ms"),
    ("--- PASS: TestAdd ({})", "0.00s", "0.01s"),
    ("ok  \texample.com/add\t{}", "0.003s", "0.104s"),
    ("real\t{}", "0m0.003s", "1m2.500s"),
    ("# duration_ms {}", "12.5", "48.125"),
    ('{{"duration_seconds": {}}}', "0.1", "2.5"),
    ("{} call     test_a.py::test", "0.01s", "0.25s"),
    ("Chunk ID: {}", "ab12cd", "99ff00"),
    ("Wall time: {} seconds", "0.0523", "1.2"),
    ("id {}.", *UUIDS),
    ("container {}", *HEXES),
    ("<Foo object at {}>", "0x7f3a2b1c4d50", "0x7f0000001230"),
    ("fault at {}", "0xdeadbeef", "0x00401000"),
    ("started, pid {}", "41", "977"),
    ("server[pid={}]", "41", "977"),
    ("listening on http://localhost:{}/", "45123", "60999"),
    ("listening on 127.0.0.1:{}", "32768", "33001"),
]

CODE = [
    ("timeout = 3", "timeout = 30"),
    ("MASK = 0x1F", "MASK = 0x2F"),
    ("MAGIC = 0xDEADBEEF", "MAGIC = 0xDEADBEEE"),
    ("PTR = 0x7f3a2b1c4d", "PTR = 0x7f3a2b1c4e"),
    ("transition: 200ms", "transition: 300ms"),
    ("sleep 0.5s", "sleep 0.6s"),
    ("time.sleep(0.03)", "time.sleep(0.04)"),
    ("wait(5ms)", "wait(50ms)"),
    ("timeout: 30s", "timeout: 300s"),
    ("port = 8080", "port = 8081"),
    ("http://localhost:3000", "http://localhost:3001"),
    ("http://127.0.0.1:5432", "http://127.0.0.1:5433"),
    ("http://example.com:45123", "http://example.com:45124"),
    ("version = '1.2.3'", "version = '1.2.4'"),
    ("released 2026-01-02", "released 2026-01-03"),
    ("colour: #a1b2c3", "colour: #a1b2c4"),
    ("n = 12345678901234567890123456789012", "n = 12345678901234567890123456789013"),
    ("commit a1b2c3d", "commit a1b2c3e"),
    ("/tmp/build-dir1", "/tmp/build-dir2"),
    ("/tmp/output.txt", "/tmp/outputs.txt"),
    ("rapid 3", "rapid 4"),
    ("pids = 3", "pids = 4"),
    ("2 passed", "3 passed"),
    ("exit code 0", "exit code 1"),
]

TASKS = [
    ("Assume today is 2026-02-28.", "Assume today is 2026-03-01."),
    ("parse 2026-01-02T03:04:05Z", "parse 2026-01-02T03:04:06Z"),
    (f"The user is {UUIDS[0]}", f"The user is {UUIDS[1]}"),
    ("digest " + HEXES[0], "digest " + HEXES[1]),
    ("finish in 5 s", "finish in 6 s"),
    ("free http://localhost:45123", "free http://localhost:45124"),
    ("kill pid 41", "kill pid 42"),
]


@pytest.mark.parametrize(("frame", "one", "other"), SAID)
def test_what_is_of_the_day_is_masked_in_what_is_said(frame: str, one: str, other: str) -> None:
    masked = mask_said(frame.format(one))
    assert masked == mask_said(frame.format(other))
    assert masked != mask_said("")


@pytest.mark.parametrize(("frame", "one", "other"), [*SAID, *PRINTED])
def test_what_is_of_the_run_is_masked_in_what_is_printed(frame: str, one: str, other: str) -> None:
    assert mask_printed(frame.format(one)) == mask_printed(frame.format(other))


@pytest.mark.parametrize(("one", "other"), CODE)
def test_numbers_that_are_code_are_never_masked(one: str, other: str) -> None:
    assert mask_printed(one) != mask_printed(other)
    assert mask_said(one) != mask_said(other)


@pytest.mark.parametrize(("one", "other"), TASKS)
def test_what_belongs_to_a_task_is_not_masked_in_what_is_said(one: str, other: str) -> None:
    assert mask_said(one) != mask_said(other)


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask_printed(mask_printed(text)) == mask_printed(text)


@pytest.mark.parametrize(
    "text",
    ["/tmp/" * 20_000, "/tmp/" + "a-" * 50_000, "0" * 100_000, "ok " * 30_000, "a1" * 50_000 + "!"],
    ids=["paths", "path", "digits", "words", "hex"],
)
def test_long_text_does_not_make_masking_hang(text: str) -> None:
    assert mask_printed(text)


def test_a_text_of_megabytes_is_compared_as_it_is() -> None:
    text = "in 0.03s " * 200_000
    assert mask_printed(text) == text


def claude_code(*, day: str, session: str, version: str) -> dict[str, object]:
    reminder = f"<system-reminder>\n# currentDate\nToday's date is {day}.\n</system-reminder>"
    return {
        "model": "claude-sonnet",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": reminder},
                    {"type": "text", "text": "mend it", "cache_control": {"type": "ephemeral"}},
                ],
            }
        ],
        "system": [
            {"type": "text", "text": f"x-anthropic-billing-header: cc_version={version}; cch=1;"},
            {"type": "text", "text": f"scratchpad: /tmp/claude-0/-work/{session}/scratchpad"},
        ],
        "metadata": {"user_id": json.dumps({"device_id": HEXES[0], "session_id": session})},
        "stream": True,
    }


def codex(*, day: str, session: str, version: str) -> dict[str, object]:
    context = (
        "<environment_context>\n  <cwd>/work</cwd>\n"
        f"  <current_date>{day}</current_date>\n</environment_context>"
    )
    return {
        "model": "gpt",
        "instructions": "You are Codex.",
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": context}],
            },
            {
                "type": "function_call_output",
                "call_id": f"call_{version}",
                "output": f"Chunk ID: {version}\nWall time: 0.0{len(day)} seconds\nOutput:\na.py",
            },
        ],
        "prompt_cache_key": session,
        "client_metadata": {"x-codex-installation-id": session},
    }


@pytest.mark.parametrize("build", [claude_code, codex])
def test_what_the_real_programs_send_on_another_day_is_volatile(
    build: Callable[..., dict[str, object]],
) -> None:
    recorder = Recorder([], "m")
    first = build(day="2026-01-02", session=UUIDS[0], version="ab12cd")
    recorder.add(Exchange("/v1", json.dumps(first).encode(), 200, body=b"yes"))
    plays = Player(recorder.recording())
    second = build(day="2026-11-21", session=UUIDS[1], version="00ff11")
    found = plays.answer("/v1", json.dumps(second).encode())
    assert isinstance(found, Exchange), str(found)
    assert plays.report().volatile == 1
