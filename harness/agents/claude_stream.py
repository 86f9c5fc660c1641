"""What Claude Code prints with `--output-format stream-json`, as a transcript and an outcome."""

from __future__ import annotations

from collections.abc import Iterator

from harness.agents.base import Outcome
from harness.agents.external import Said, amount, broken, json_lines, json_of, moment, text_of
from harness.domain.model import Usage
from harness.domain.session import Ending, Reported, Role
from harness.gateway.loose import Object, as_object, dig, objects, whole
from harness.sandbox.base import Completed

SYNTHETIC = "<synthetic>"
"""The model of a message that the program wrote itself."""
NEVER_ASKS = "bypassPermissions"
MAX_TURNS = "error_max_turns"
REFUSAL = "refusal"


class ClaudeReader:
    """Reads the stream; its last event, the result, is missing when the program was killed."""

    def __init__(self) -> None:
        self._tools: dict[str, str] = {}
        self._result: Object = {}
        self._mode = ""

    def heard(self, stdout: str) -> Iterator[Said]:
        """Everything that the events say."""
        return json_lines(stdout, self.read)

    def read(self, event: Object) -> Iterator[Said]:
        """One event; kinds that say nothing of the session are passed over."""
        at = moment(event.get("timestamp"))
        message = as_object(event.get("message"))
        match event.get("type"):
            case "system":
                yield from self._system(event)
            case "assistant":
                self._result = {}
                yield from self._assistant(message, at)
            case "user":
                yield from self._user(message, at)
            case "result":
                self._result = event

    @property
    def ended(self) -> bool:
        """Its result was the last that it said."""
        return bool(self._result)

    def outcome(self, done: Completed) -> Outcome:
        """By the result's `is_error`: its `subtype` says success of a request that failed."""
        result = self._result
        if not result:
            return broken(done, "ended without a result")
        reported = _reported(result)
        denied = self._denied(result)
        if denied:
            detail = f"it was not allowed to use {denied}: its permissions are misconfigured"
            return Outcome(Ending.AGENT_ERROR, reported, detail)
        ending = _ending(result)
        if ending is not Ending.FINISHED:
            return Outcome(ending, reported, _words(result))
        if done.exit_code not in (0, None):
            return broken(done, "failed after it had said that all was well", reported)
        return Outcome(Ending.FINISHED, reported)

    def _denied(self, result: Object) -> str:
        """The tools that it may not use; a session without the right mode still ends as success."""
        if self._mode == NEVER_ASKS:
            return ""
        denials = objects(result.get("permission_denials"))
        return ", ".join(sorted({text_of(denial.get("tool_name")) for _, denial in denials}))

    def _system(self, event: Object) -> Iterator[Said]:
        match event.get("subtype"):
            case "init":
                self._mode = text_of(event.get("permissionMode"))
                tools = event.get("tools")
                count = len(tools) if isinstance(tools, list) else 0
                version = text_of(event.get("claude_code_version"))
                yield Said(Role.NOTE, f"Claude Code {version} with {count} tools")
            case "api_retry":
                yield Said(Role.NOTE, f"it asks again: {text_of(event.get('error'))}")
            case "compact_boundary":
                yield Said(Role.NOTE, "it summarised the conversation so far")

    def _assistant(self, message: Object, at: float | None) -> Iterator[Said]:
        role = Role.NOTE if message.get("model") == SYNTHETIC else Role.ASSISTANT
        for _, block in objects(message.get("content")):
            match block.get("type"):
                case "text":
                    yield Said(role, text_of(block.get("text")), at=at)
                case "thinking" if block.get("thinking"):
                    yield Said(Role.NOTE, f"thinking: {text_of(block.get('thinking'))}", at=at)
                case "tool_use":
                    name = text_of(block.get("name")) or "unknown"
                    self._tools[text_of(block.get("id"))] = name
                    yield Said(Role.TOOL_CALL, json_of(block.get("input")), tool=name, at=at)

    def _user(self, message: Object, at: float | None) -> Iterator[Said]:
        for _, block in objects(message.get("content")):
            match block.get("type"):
                case "tool_result":
                    yield Said(
                        Role.TOOL_RESULT,
                        _content(block.get("content")),
                        tool=self._tools.get(text_of(block.get("tool_use_id")), "unknown"),
                        is_error=block.get("is_error") is True,
                        at=at,
                    )
                case "text":
                    yield Said(Role.NOTE, text_of(block.get("text")), at=at)


def _content(value: object) -> str:
    """A tool's answer: a text, or blocks of which some are texts."""
    if isinstance(value, str):
        return value
    blocks = (block for _, block in objects(value))
    return "\n".join(
        text_of(block.get("text")) or f"({text_of(block.get('type'))})" for block in blocks
    )


def _ending(result: Object) -> Ending:
    if result.get("subtype") == MAX_TURNS:
        return Ending.TURN_LIMIT
    if result.get("stop_reason") == REFUSAL:
        return Ending.REFUSED
    return Ending.FINISHED if result.get("is_error") is False else Ending.AGENT_ERROR


def _words(result: Object) -> str:
    errors = result.get("errors")
    listed = [text_of(e) for e in errors] if isinstance(errors, list) else []
    return text_of(result.get("result")) or "; ".join(listed) or "it ended with an error"


def _reported(result: Object) -> Reported:
    """Its own figures; those of the assistant events would count no output."""
    models = [use for use in as_object(result.get("modelUsage")).values() if as_object(use)]
    total = Usage()
    for use in map(as_object, models):
        total += Usage(
            input_tokens=whole(use.get("inputTokens")) or 0,
            output_tokens=whole(use.get("outputTokens")) or 0,
            cached_tokens=whole(use.get("cacheReadInputTokens")) or 0,
            cache_write_tokens=whole(use.get("cacheCreationInputTokens")) or 0,
            reasoning_tokens=whole(use.get("thinkingTokens")) or 0,
        )
    usage = total if models else _main_usage(as_object(result.get("usage")))
    # it prices a model that it does not know as if it were another
    guessed = any(as_object(use).get("costBasis") == "unknown" for use in models)
    cost_usd = None if guessed else amount(result.get("total_cost_usd"))
    return Reported(usage, cost_usd, whole(result.get("num_turns")))


def _main_usage(usage: Object) -> Usage | None:
    if not usage:
        return None
    return Usage(
        input_tokens=whole(usage.get("input_tokens")) or 0,
        output_tokens=whole(usage.get("output_tokens")) or 0,
        cached_tokens=whole(usage.get("cache_read_input_tokens")) or 0,
        cache_write_tokens=whole(usage.get("cache_creation_input_tokens")) or 0,
        reasoning_tokens=whole(dig(usage, ("output_tokens_details", "thinking_tokens"))) or 0,
    )
