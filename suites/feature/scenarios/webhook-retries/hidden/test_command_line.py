"""The commands, and queue files of every version."""

import json
from typing import Any

from grading import python

BOX = """
import json, os, subprocess, sys, tempfile
from pathlib import Path

def main(files, commands):
    box = Path(tempfile.mkdtemp())
    for name, content in files.items():
        (box / name).write_text(content if isinstance(content, str) else json.dumps(content))
    env = {**os.environ, "PYTHONPATH": str(Path("src").resolve())}
    env["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp()
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    start = [sys.executable, "-m", "hookline", "--state", "q.json", "--endpoints", "endpoints.json"]
    seen = []
    for words in commands:
        if words[0] == "cat":
            seen.append(json.loads((box / words[1]).read_text()))
            continue
        done = subprocess.run(
            [*start, *words], cwd=box, env=env, capture_output=True, text=True, timeout=60
        )
        seen.append({"status": done.returncode, "out": done.stdout, "err": done.stderr})
    record = box / "sent.jsonl"
    lines = record.read_text().splitlines() if record.exists() else []
    return {"seen": seen, "sent": [json.loads(line) for line in lines]}
"""

NOW = 1714550000


def endpoint(name: str, **extra: Any) -> dict[str, Any]:
    url = f"https://{name}.example"
    return {"name": name, "url": url, "secret": "s", "events": ["*"], **extra}


def box(script: dict[str, list[Any]], commands: list[str], **extra: Any) -> Any:
    files = {
        "endpoints.json": {
            "retry": {"max_attempts": 3},
            "endpoints": [endpoint("a"), endpoint("b")],
        },
        "e1.json": {"id": "e1", "type": "x", "data": {"n": 1}},
        "e1-other.json": {"id": "e1", "type": "x", "data": {"n": 2}},
        "script.json": {f"https://{name}.example": answers for name, answers in script.items()},
        **{name.replace("_json", ".json"): content for name, content in extra.items()},
    }
    return python(BOX, files, [command.split() for command in commands], timeout_s=100)


def at(seconds: int, command: str) -> str:
    if command.startswith("run"):
        script = "" if "--rehearse" in command else " --rehearse script.json"
        command += f"{script} --record sent.jsonl"
    return f"--now {NOW + seconds} {command}"


OK, BUSY, GONE = {"status": 200}, {"status": 503}, {"status": 410}


def test_run_reports_what_it_achieved() -> None:
    outcome = box(
        {"a": [BUSY, OK], "b": [OK]},
        [at(0, "enqueue e1.json"), at(0, "run"), at(1, "run"), at(2, "run")],
    )
    assert [item["status"] for item in outcome["seen"]] == [0, 0, 0, 0]
    assert [item["out"].strip() for item in outcome["seen"][1:3]] == [
        "delivered 1, failed 1, dead 0", "delivered 0, failed 0, dead 0",
    ]
    assert len(outcome["sent"]) == 3


def test_run_ends_with_status_3_when_it_makes_a_dead_letter() -> None:
    outcome = box({"a": [GONE], "b": [OK]}, [at(0, "enqueue e1.json"), at(0, "run"), at(9, "run")])
    assert outcome["seen"][1]["out"].strip() == "delivered 1, failed 1, dead 1"
    assert [item["status"] for item in outcome["seen"]] == [0, 3, 0]


def test_until_idle_waits_for_the_retries() -> None:
    outcome = box(
        {"a": [BUSY, {"error": "reset"}, OK], "b": [BUSY]},
        [at(0, "enqueue e1.json"), at(0, "run --until-idle"), at(0, "status --json")],
    )
    assert outcome["seen"][1]["out"].strip() == "delivered 1, failed 5, dead 1"
    assert outcome["seen"][1]["status"] == 3
    times = [int(item["headers"]["Hookline-Timestamp"]) - NOW for item in outcome["sent"]]
    assert times == [0, 0, 2, 2, 6, 6]
    status = json.loads(outcome["seen"][2]["out"])
    assert (status["pending"], status["delivered"], status["dead"]) == ([], 1, 1)


def test_status_tells_when_the_next_attempt_is() -> None:
    outcome = box(
        {"a": [BUSY], "b": [GONE]},
        [at(0, "enqueue e1.json"), at(0, "status --json"), at(5, "run"), at(5, "status --json")],
    )
    before, after = (json.loads(outcome["seen"][number]["out"]) for number in (1, 3))
    fields = ("id", "event", "endpoint", "attempts")
    assert [[item[name] for name in fields] for item in before["pending"]] == [
        ["e1:a", "e1", "a", 0], ["e1:b", "e1", "b", 0],
    ]
    assert all(item["next_attempt_at"] <= NOW for item in before["pending"])
    assert [[item[name] for name in fields] for item in after["pending"]] == [
        ["e1:a", "e1", "a", 1]
    ]
    assert after["pending"][0]["next_attempt_at"] == NOW + 7
    assert after["pending"][0]["last_error"] == "HTTP 503"
    assert (before["dead"], after["dead"]) == (0, 1)


def test_a_known_event_is_said_to_be_known() -> None:
    outcome = box(
        {"a": [OK], "b": [OK]},
        [
            at(0, "enqueue e1.json"), at(1, "enqueue e1.json"), at(2, "run"),
            at(3, "enqueue e1.json"),
        ],
    )
    assert "queued e1 for 2 endpoints" in outcome["seen"][0]["out"]
    for number in (1, 3):
        assert outcome["seen"][number]["status"] == 0
        assert "already known: e1" in outcome["seen"][number]["out"]
    assert len(outcome["sent"]) == 2


def test_a_conflict_is_status_2_and_changes_nothing() -> None:
    outcome = box(
        {}, [at(0, "enqueue e1.json"), "cat q.json", at(1, "enqueue e1-other.json"), "cat q.json"]
    )
    assert outcome["seen"][2]["status"] == 2
    assert outcome["seen"][2]["err"].strip()
    assert "Traceback" not in outcome["seen"][2]["err"]
    assert outcome["seen"][1] == outcome["seen"][3]


def test_dead_letters_are_listed_and_redriven() -> None:
    outcome = box(
        {"a": [GONE], "b": [{"status": 404}]},
        [
            at(0, "enqueue e1.json"), "dead list --json", at(4, "run"), "dead list --json",
            "dead redrive e1:a e1:zzz", "dead list --json", "dead redrive e1:b", "dead list --json",
            at(5, "run --rehearse ok.json"), "dead redrive --all",
            at(6, "run --rehearse ok.json"), "dead list --json",
        ],
        ok_json={"https://a.example": [OK], "https://b.example": [OK]},
    )
    seen = outcome["seen"]
    assert json.loads(seen[1]["out"]) == []
    letters = json.loads(seen[3]["out"])
    assert letters == [
        {"id": "e1:a", "event": "e1", "endpoint": "a", "attempts": 1,
         "reason": "rejected", "status": 410, "at": NOW + 4},
        {"id": "e1:b", "event": "e1", "endpoint": "b", "attempts": 1,
         "reason": "rejected", "status": 404, "at": NOW + 4},
    ]
    assert seen[4]["status"] == 2
    assert seen[4]["err"].strip()
    assert json.loads(seen[5]["out"]) == letters
    assert (seen[6]["status"], seen[6]["out"].strip()) == (0, "redriven 1")
    assert [letter["id"] for letter in json.loads(seen[7]["out"])] == ["e1:a"]
    assert (seen[9]["status"], seen[9]["out"].strip()) == (0, "redriven 1")
    assert (seen[10]["status"], json.loads(seen[11]["out"])) == (0, [])
    assert [item["headers"]["Idempotency-Key"] for item in outcome["sent"]] == [
        "e1:a", "e1:b", "e1:b", "e1:a",
    ]


def test_a_wrong_policy_is_status_2() -> None:
    raw = {"endpoints": [endpoint("ledger", retry={"max_attempts": 0})]}
    outcome = box({}, [at(0, "enqueue e1.json")], endpoints_json=raw)
    assert outcome["seen"][0]["status"] == 2
    assert "ledger" in outcome["seen"][0]["err"]
    assert "max_attempts" in outcome["seen"][0]["err"]


def test_version_1_opens_is_due_at_once_and_is_written_as_version_2() -> None:
    queue = {
        "version": 1,
        "events": {"old": {"type": "x", "data": {"n": 1}, "created": 1714540000.5}},
        "pending": [
            {"event": "old", "endpoint": "a", "last_error": "HTTP 503"},
            {"event": "old", "endpoint": "b", "last_error": None},
        ],
        "delivered": [],
    }
    outcome = box(
        {"a": [BUSY], "b": [OK]},
        ["status --json", at(0, "run"), "cat q.json", "status --json"],
        q_json=queue,
    )
    before, after = (json.loads(outcome["seen"][number]["out"]) for number in (0, 3))
    assert [item["attempts"] for item in before["pending"]] == [0, 0]
    assert all(item["next_attempt_at"] <= NOW for item in before["pending"])
    assert outcome["seen"][1]["out"].strip() == "delivered 1, failed 1, dead 0"
    assert outcome["seen"][2]["version"] == 2
    assert [[item["id"], item["attempts"]] for item in after["pending"]] == [["old:a", 1]]
    assert json.loads(outcome["sent"][0]["body"])["created"] == 1714540000.5
