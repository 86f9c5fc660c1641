"""What both of OpenAI's protocols share: errors, and how tokens are counted."""

from __future__ import annotations

from harness.domain.model import Usage
from harness.testing.provider.script import Fails, TooLong
from harness.testing.provider.seen import Body

KINDS: dict[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("tokens", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("server_error", None),
}


def error(fails: Fails) -> Body:
    """The body of an error response."""
    kind, code = KINDS.get(fails.status, ("server_error", None))
    inner = {"message": fails.message, "type": kind, "param": None, "code": fails.kind or code}
    return {"error": inner}


def too_long(message: str, param: str) -> Body:
    """The body of the 400 for a conversation beyond the context window."""
    failed = error(Fails(400, message, "context_length_exceeded"))
    failed["error"]["param"] = param
    return failed


def chat_too_long(long: TooLong) -> Body:
    """The 400 of Chat Completions."""
    message = (
        f"This model's maximum context length is {long.limit} tokens. However, your messages "
        f"resulted in {long.tokens} tokens. Please reduce the length of the messages."
    )
    return too_long(message, "messages")


def responses_too_long(_long: TooLong) -> Body:
    """The 400 of Responses, which tells no figures."""
    message = (
        "Your input exceeds the context window of this model. "
        "Please adjust your input and try again."
    )
    return too_long(message, "input")


def input_tokens(usage: Usage) -> int:
    """OpenAI's input holds what was read from the cache and written to it."""
    return usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens
