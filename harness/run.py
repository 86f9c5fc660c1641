"""START HERE: the path of a run, from a cell of the plan to a stored record.

The two `with` blocks of `run_one` and `grade` show the fact that matters most: the sandbox that
is judged is not the sandbox that the agent had.
"""

from __future__ import annotations

from dataclasses import replace

from harness.agents.base import Task, Workbench, supervise
from harness.agents.mcp import equip
from harness.agents.tools import ToolContext, toolbox
from harness.carrying import carried, hidden_files, with_room
from harness.domain.application import Application
from harness.domain.changes import Changes
from harness.domain.failures import ENDINGS, TABLE
from harness.domain.ids import BatchId, RunId, new_run_id
from harness.domain.mcp import McpServer
from harness.domain.record import CheckResult, CommandResult, Control, RunRecord
from harness.domain.session import Ending, Session
from harness.domain.spec import RunSpec, Warmup, control_key
from harness.draft import Draft
from harness.errors import (
    BoxClosed,
    BoxDied,
    EnvironmentFault,
    Interrupted,
    ProviderFault,
    StoreFault,
    UsageError,
)
from harness.evaluate import Evidence, Work, evaluate, not_rebuilt, validate, worthless
from harness.gateway.base import Line
from harness.gateway.recording import merged
from harness.interrupts import INTERRUPTS, shield
from harness.log import bound, log
from harness.patches import parse_patch
from harness.sandbox.base import Box, BoxError, PreparedImage, Purpose
from harness.store import transcripts
from harness.store.patience import save_patiently
from harness.tools import PlayedUser, Tools

Grade = tuple[tuple[CommandResult, ...], tuple[CheckResult, ...]]


def attempt(spec: RunSpec, batch: BatchId, tools: Tools, name: RunId | None = None) -> RunRecord:
    """One run, whatever happens to it: here and only here a failure becomes a record."""
    run = name or new_run_id(tools.now(), tools.random())
    draft = Draft(run, batch, spec, tools.now(), tools.watch, tools.maker)
    with bound(run=draft.id, batch=batch):
        tools.watch.began(draft.id, spec)
        error: BaseException | None = None
        try:
            run_one(draft, tools)
        except (EnvironmentFault, BoxClosed, Interrupted, KeyboardInterrupt) as fault:
            error = fault
            log().info("run_faulted", stage=draft.stage, error=str(fault))
        except UsageError as refusal:
            # only the user can put it right: the run stays planned
            tools.watch.refused(draft.id, str(refusal))
            raise
        except Exception as bug:
            # ours: the record says so, and the traceback goes on to the person who can mend it
            record = draft.record(tools.now(), bug)
            save_patiently(tools.store, record, tools.watch.tell)
            tools.watch.ended(record)
            raise
        with shield():
            record = draft.record(tools.now(), error)
            try:
                save_patiently(tools.store, record, tools.watch.tell)
            except StoreFault as fault:
                tools.watch.refused(draft.id, str(fault))
                raise
        tools.watch.ended(record)
        return record


def run_one(draft: Draft, tools: Tools) -> None:
    """Prepare, work, capture, grade: each stage fills in its part of the draft."""
    spec, scenario = draft.spec, draft.spec.scenario
    agent = tools.agent(spec)
    draft.simulated = agent.simulated or tools.replay is not None
    draft.application = kept_words(spec, tools)

    draft.enter("prepare")
    image = tools.images.prepare(scenario, draft.tell)
    control = control_of(draft, image, tools)
    marks = tools.marks(draft.id, draft.batch, scenario.limits)

    with (
        tools.line(draft.id, draft.batch, spec, agent.needs) as line,
        tools.user(draft.id, draft.batch, spec) as user,
        tools.workspaces.open(scenario, image, marks) as workspace,
    ):
        draft.enter("work")
        mounts = (workspace.mount, *tools.kit(draft.id, agent.needs, line, image))
        box_spec = tools.box_spec(marks, Purpose.WORK, scenario, image, mounts)
        with tools.sandboxes.open(box_spec) as box:
            person = user.person if user else None
            context = ToolContext(box, scenario.limits, scenario.oracle, person=person)
            bench = Workbench(toolbox(), context, scenario.limits.wall_clock_s, line=line)
            words, servers = worn(spec)
            task = Task(spec.prompt.text, spec.iteration, words, equip(agent, servers, bench))
            session = supervise(agent, task, bench)
            draft.session = keep(session, line, user, tools)
            if draft.session.ending is Ending.PROVIDER_FAILED:
                raise ProviderFault(draft.session.detail)
        draft.enter("capture")
        changes = workspace.capture()

    draft.tree = tools.ledger.record(draft.id, scenario, changes)
    cause = ENDINGS[draft.session.ending]
    if cause is not None and not TABLE[cause].graded:
        # it was there that it was stopped; what came after only keeps what was done by then
        draft.enter("work")
        raise Interrupted(draft.session.detail)
    patch = parse_patch(tools.ledger.diff(draft.tree))
    work = Work(changes, patch, draft.session, session.transcript, spec.prompt.text)
    draft.commands, draft.checks = grade(draft, work, image, control, tools)


def worn(spec: RunSpec) -> tuple[str | None, tuple[McpServer, ...]]:
    """What the specialist says and brings along."""
    specialist = spec.specialist
    return (specialist.system_prompt, specialist.mcps) if specialist else (None, ())


def kept_words(spec: RunSpec, tools: Tools) -> Application | None:
    """How the specialist's words came about, and the words themselves kept beside the record."""
    specialist = spec.specialist
    if specialist is None or specialist.application is None:
        return None
    prompt = tools.artifacts.put("system-prompt.md", specialist.system_prompt.encode())
    return replace(specialist.application, prompt=prompt)


def keep(session: Session, line: Line | None, user: PlayedUser | None, tools: Tools) -> Session:
    """The session with its transcript and its exchanges with models stored beside it."""
    put = tools.artifacts.put
    kept = transcripts.keep(session.transcript, put)
    lines = [each for each in (line, user.line if user else None) if each]
    exchanges = [each.recording() for each in lines]
    return replace(
        session,
        transcript=(),
        log=kept,
        recording=put("recording.jsonl", merged(*exchanges)) if exchanges else None,
        user_use=user.line.use() if user else None,
    )


def grade(
    draft: Draft, work: Work | None, image: PreparedImage, control: Control | None, tools: Tools
) -> Grade:
    """Rebuild the work, or nobody's, in a fresh sandbox and ask every evaluator about it."""
    scenario = with_room(draft.spec.scenario)
    draft.enter("wait")
    marks = tools.marks(draft.id, draft.batch, scenario.limits)
    with tools.graders, tools.workspaces.open(scenario, image, marks) as workspace:
        draft.enter("rebuild")
        spec = tools.box_spec(marks, Purpose.GRADE, scenario, image, (workspace.mount,))
        with tools.sandboxes.open(spec) as box:
            try:
                return grade_in(box, draft, work, control, tools)
            except BoxDied as error:
                if work is None:
                    raise
                # the untouched fixture does not end its sandbox: the work does
                return (), worthless(scenario, f"it ended its grading sandbox: {error}")


def grade_in(
    box: Box, draft: Draft, work: Work | None, control: Control | None, tools: Tools
) -> Grade:
    """Put the work into an open sandbox, validate and evaluate it there."""
    scenario = draft.spec.scenario
    arrived = Changes(carried(scenario, work.changes if work else Changes()))
    try:
        box.apply(arrived.items)
    except BoxError as error:
        return (), not_rebuilt(scenario, error)
    draft.enter("validate")
    keep = tools.artifacts.put
    commands = validate(scenario, box, keep, draft.tell)
    draft.enter("evaluate")
    judges = tools.judges(draft.id, draft.batch, draft.spec)
    evidence = Evidence(
        scenario=scenario,
        changes=arrived,
        box=box,
        commands=commands,
        control=control,
        hidden=hidden_files(scenario),
        keep=keep,
        work=work or Work(),
        untouched=work is None,
        judges=judges,
    )
    checks = evaluate(evidence, tools.evaluators, draft.tell)
    # a judge that was cut off left no score
    INTERRUPTS.check()
    if draft.session and judges.exchanges:
        # a replay needs what the judges said as well
        exchanges = [*recorded(draft.session, tools), *judges.exchanges]
        recording = keep("recording.jsonl", merged(*exchanges))
        draft.session = replace(draft.session, recording=recording)
    return commands, checks


def recorded(session: Session, tools: Tools) -> tuple[bytes, ...]:
    """What was said to models so far."""
    return (tools.artifacts.get(session.recording),) if session.recording else ()


def control_of(draft: Draft, image: PreparedImage, tools: Tools) -> Control | None:
    """The grade of the untouched fixture: known, or found out now, once per image."""
    key = control_key(draft.spec.scenario, image.key)
    if draft.spec.warmup is Warmup.SKIP:
        return tools.store.control(key)
    with tools.alone(key):
        if known := tools.store.control(key):
            return known
        draft.tell("grading the untouched fixture once")
        commands, checks = grade(draft, None, image, None, tools)
        control = Control(key, commands, checks)
        tools.store.save_control(control)
        return control
