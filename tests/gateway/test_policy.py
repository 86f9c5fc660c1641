"""What a line refuses before anybody is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.model import Api
from harness.gateway.base import REFUSAL, Refusal
from harness.gateway.line import MAX_BODY_BYTES
from harness.gateway.policy import PATHS, Ask, RefusedError, path_below_v1, understand
from tests.gateway.conftest import Start
from tests.gateway.rig import CLAUDE, GPT, ask, client, model_of, question, turn

ALL = frozenset(Api)
OF = {api: path for path, api in PATHS.items() if path != "messages/count_tokens"}
APIS = pytest.mark.parametrize("api", list(Api))


def _understood(body: object, api: Api = Api.MESSAGES) -> Ask:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return understand(OF[api], data, model_of(api), ALL)


def _refusal(body: object, api: Api = Api.MESSAGES) -> Refusal:
    with pytest.raises(RefusedError) as caught:
        _understood(body, api)
    return caught.value.refusal


@APIS
@pytest.mark.parametrize("model", ["claude-opus-4-1", "", None, 1, [], {"name": "x"}, "GPT-5"])
def test_another_model_is_refused(api: Api, model: object) -> None:
    assert _refusal(question(api, model=model), api) is Refusal.MODEL


def test_of_two_models_the_one_that_was_checked_goes_on() -> None:
    body = b'{"model":"other","max_tokens":1,"messages":[],"model":"claude-sonnet-4-5"}'
    assert _understood(body).body.count(b"model") == 1
    other_way = b'{"model":"claude-sonnet-4-5","messages":[],"model":"other"}'
    assert _refusal(other_way) is Refusal.MODEL


@pytest.mark.parametrize("field", ["Model", "MODEL", "\u017ftream", "Tools"])
def test_a_field_that_some_servers_take_for_another_is_refused(field: str) -> None:
    assert _refusal(question(**{field: "other"})) is Refusal.MALFORMED


TOOLS = {
    Api.MESSAGES: (
        "web_search_20250305",
        "web_search_20260209",
        "web_search_20260318",
        "web_fetch_20250910",
        "web_fetch_20260318",
        "code_execution_20250522",
        "code_execution_20260521",
        "browser_toolset_20260801",
        "advisor_20260301",
        "mcp_toolset",
        "computer_toolset_20260801",
        "custom_of_tomorrow",
        "",
    ),
    Api.CHAT: ("web_search", "openrouter:web_search", "mcp", "functional"),
    Api.RESPONSES: (
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "file_search",
        "code_interpreter",
        "programmatic_tool_calling",
        "image_generation",
        "mcp",
        "shell",
    ),
}
REFUSED_TOOLS = [(api, kind) for api, kinds in TOOLS.items() for kind in kinds if kind]


@pytest.mark.parametrize(("api", "kind"), REFUSED_TOOLS)
def test_a_tool_that_the_provider_runs_is_refused(api: Api, kind: str) -> None:
    hosted = {"type": kind, "name": "x"}
    assert _refusal(turn(api) | {"tools": [turn(api)["tools"][0], hosted]}, api) is Refusal.TOOL


@pytest.mark.parametrize(
    "item",
    [
        {"type": "additional_tools", "role": "developer", "tools": [{"type": "web_search"}]},
        {"type": "tool_search_output", "call_id": "c", "tools": [{"type": "mcp"}]},
        {"type": "message", "role": "user", "content": [{"tools": [{"type": "web_search"}]}]},
    ],
)
def test_a_hosted_tool_in_the_middle_of_a_conversation_is_refused(item: dict[str, Any]) -> None:
    assert _refusal(question(Api.RESPONSES, input=[item]), Api.RESPONSES) is Refusal.TOOL


def test_a_hosted_tool_within_a_namespace_is_refused() -> None:
    space = {"type": "namespace", "name": "n", "tools": [{"type": "file_search"}]}
    assert _refusal(question(Api.RESPONSES, tools=[space]), Api.RESPONSES) is Refusal.TOOL


def test_a_hosted_tool_that_is_added_later_is_refused() -> None:
    definition = {"type": "tool_definition", "definition": {"type": "web_fetch_20260318"}}
    added = {"role": "system", "content": [{"type": "tool_addition", "tool": definition}]}
    assert _refusal(question(messages=[added])) is Refusal.TOOL


CLIENT_TOOLS = {
    Api.MESSAGES: (None, "custom", "bash_20250124", "text_editor_20250728", "memory_20250818"),
    Api.CHAT: ("function", "custom"),
    Api.RESPONSES: ("function", "custom", "local_shell", "apply_patch", "tool_search"),
}


@pytest.mark.parametrize(
    ("api", "kind"), [(api, kind) for api, kinds in CLIENT_TOOLS.items() for kind in kinds]
)
def test_a_tool_that_the_client_runs_makes_a_turn(api: Api, kind: str | None) -> None:
    asked = _understood(question(api, tools=[{"type": kind, "name": "x"}]), api)
    assert asked.turn
    assert not _understood(question(api, tools=[]), api).turn


def test_tools_by_their_old_name_make_a_turn_too() -> None:
    assert _understood(question(Api.CHAT, functions=[{"name": "bash"}]), Api.CHAT).turn


FIELDS = {
    Api.MESSAGES: {
        "mcp_servers": [{"type": "url", "url": "https://x"}],
        "container": "c",
        "fallbacks": "default",
        "thread": {"id": "t"},
        "billing_policy": {"type": "billing_policy"},
        "models": ["other"],
        "plugins": [{"id": "web"}],
    },
    Api.CHAT: {
        "web_search_options": {"search_context_size": "low"},
        "models": ["other"],
        "plugins": [{"id": "web"}],
        "provider": {"order": ["other"]},
        "preset": "mine",
        "search_parameters": {"mode": "on"},
        "moderation": {"model": "other"},
    },
    Api.RESPONSES: {
        "background": True,
        "previous_response_id": "resp_1",
        "conversation": "conv_1",
        "prompt": {"id": "pmpt_1"},
        "moderation": {"model": "other"},
        "models": ["other"],
    },
}


@pytest.mark.parametrize(
    ("api", "field", "value"),
    [(api, field, value) for api, fields in FIELDS.items() for field, value in fields.items()],
)
def test_a_field_that_works_elsewhere_is_refused(api: Api, field: str, value: object) -> None:
    assert _refusal(question(api, **{field: value}), api) is Refusal.TOOL
    assert _understood(question(api, **{field: None}), api).path == OF[api]


def _says(api: Api, part: dict[str, Any]) -> dict[str, Any]:
    said = [{"role": "user", "content": [part]}]
    return question(api, **{"input" if api is Api.RESPONSES else "messages": said})


FETCHED: list[tuple[Api, dict[str, Any]]] = [
    (Api.MESSAGES, {"type": "image", "source": {"type": "url", "url": "https://x/a.png"}}),
    (Api.MESSAGES, {"type": "document", "source": {"type": "file", "file_id": "file_1"}}),
    (
        Api.MESSAGES,
        {
            "type": "tool_result",
            "tool_use_id": "t",
            "content": [{"type": "document", "source": {"type": "url", "url": "http://x"}}],
        },
    ),
    (Api.MESSAGES, {"type": "container_upload", "file_id": "file_1"}),
    (Api.CHAT, {"type": "image_url", "image_url": {"url": " HTTPS://x/a.png"}}),
    (Api.CHAT, {"type": "image_url", "image_url": " //x/a.png"}),
    (Api.CHAT, {"type": "video_url", "video_url": {"url": "gs://bucket/a.mp4"}}),
    (Api.CHAT, {"type": "file", "file": {"file_id": "file_1"}}),
    (Api.CHAT, {"type": "file", "file": {"file_data": "https://x/a.pdf"}}),
    (Api.RESPONSES, {"type": "input_image", "image_url": "https://x/a.png"}),
    (Api.RESPONSES, {"type": "input_file", "file_url": "https://x/a.pdf"}),
    (Api.RESPONSES, {"type": "input_file", "file_id": "file_1"}),
]


@pytest.mark.parametrize(("api", "part"), FETCHED, ids=str)
def test_what_the_provider_would_fetch_is_refused(api: Api, part: dict[str, Any]) -> None:
    assert _refusal(_says(api, part), api) is Refusal.TOOL


@pytest.mark.parametrize("item", [{"type": "item_reference", "id": "m_1"}, {"id": "m_1"}], ids=str)
def test_what_the_provider_has_stored_is_not_asked_for(item: dict[str, Any]) -> None:
    assert _refusal(question(Api.RESPONSES, input=[item]), Api.RESPONSES) is Refusal.TOOL


INLINE: list[tuple[Api, dict[str, Any]]] = [
    (Api.MESSAGES, {"type": "image", "source": {"type": "base64", "data": "aGk="}}),
    (Api.MESSAGES, {"type": "text", "text": "see https://x", "citations": [{"url": "http://x"}]}),
    (Api.MESSAGES, {"type": "tool_use", "input": {"url": "https://x", "file_id": "f", "id": "i"}}),
    (Api.CHAT, {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}),
    (Api.CHAT, {"type": "file", "file": {"file_data": "DATA:application/pdf;base64,aGk="}}),
    (Api.RESPONSES, {"type": "input_image", "image_url": "data:image/png;base64,aGk="}),
    (Api.RESPONSES, {"type": "output_text", "text": "x", "annotations": [{"url": "http://x"}]}),
]


@pytest.mark.parametrize(("api", "part"), INLINE, ids=str)
def test_what_a_request_holds_itself_may_pass(api: Api, part: dict[str, Any]) -> None:
    body = _says(api, part)
    assert json.loads(_understood(body, api).body) == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[]",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"model":"claude-sonnet-4-5","temperature":1e999}',
        b'{"model":"claude-sonnet-4-5","n":' + b"9" * 5000 + b"}",
        b'{"model":"claude-sonnet-4-5","messages":' + b"[" * 200_000,
        b'{"model":"claude-sonnet-4-5","messages":' + b"[" * 900 + b"]" * 900 + b"}trailing",
        b'{"model":"claude-sonnet-4-5","stream":1}',
        b'{"model":"claude-sonnet-4-5","stream":"true"}',
        b'{"model":"claude-sonnet-4-5","stream_options":[1]}',
        b'{"model":"claude-sonnet-4-5","tools":{"a":1}}',
        b'{"model":"claude-sonnet-4-5","tools":"web_search"}',
    ],
    ids=lambda body: body[:60].decode("latin-1"),
)
def test_a_body_that_is_not_understood_is_refused(body: bytes) -> None:
    assert _refusal(body) is Refusal.MALFORMED


@pytest.mark.parametrize(
    "path",
    ["files", "models", "", "messages/batches", "responses/compact", "embeddings", "Messages"],
)
def test_another_path_is_refused(path: str) -> None:
    with pytest.raises(RefusedError) as caught:
        understand(path, b"{}", CLAUDE, ALL)
    assert caught.value.refusal is Refusal.PATH


def test_a_protocol_that_the_provider_does_not_speak_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="openai has chat/completions, responses"):
        understand("messages", b"{}", GPT, frozenset({Api.CHAT, Api.RESPONSES}))


@pytest.mark.parametrize(
    "path", ["/v1/messages", "/messages", "//v1//messages/", "/v1/v1/messages"]
)
def test_a_path_may_be_written_as_libraries_like(path: str) -> None:
    assert path_below_v1(path) == "messages"


@pytest.mark.parametrize("path", ["/v1/messages/../files", "/v1/./messages", "/v2/messages"])
def test_a_path_is_not_bent(path: str) -> None:
    assert path_below_v1(path) not in PATHS


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_refused(start: Start, method: str) -> None:
    one = start()
    with client(one.line()) as http:
        answer = http.request(method, "/v1/messages", json=question())
    assert (answer.status_code, answer.headers[REFUSAL]) == (400, "path")
    assert one.double.requests == []


@APIS
def test_a_refusal_reads_as_the_protocols_errors_do(start: Start, api: Api) -> None:
    line = start().line(api)
    answer = ask(line, api, question(api, model="other"))
    error = answer.json()["error"]
    assert (answer.status_code, answer.headers[REFUSAL]) == (400, "model")
    assert error["type"] == "invalid_request_error"
    assert error.get("code") == (None if api is Api.MESSAGES else "mintmark_model")
    assert "'other'" in error["message"]
    assert (line.use().refused, line.use().requests, line.fault) == (1, 0, None)


def test_a_body_that_is_too_large_is_refused(start: Start) -> None:
    with client(start().line()) as http:
        answer = http.post("/v1/messages", content=b" " * (MAX_BODY_BYTES + 1))
    assert answer.headers[REFUSAL] == "malformed"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text()
    | st.sampled_from(["function", "custom", "web_search", "true", "data:x", CLAUDE.name]),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text()
            | st.sampled_from(
                ["type", "url", "tools", "content", "source", "id", "definition", "model", "role"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)
KNOWN = ("tools", "functions", "messages", "input", "system", "stream", "stream_options", "models")


@APIS
@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.text() | st.sampled_from(KNOWN), JSON))
def test_no_json_does_more_than_pass_or_be_refused(api: Api, body: dict[str, Any]) -> None:
    try:
        asked = _understood(body | {"model": model_of(api).name}, api)
    except RefusedError:
        return
    assert json.loads(asked.body)["model"] == model_of(api).name


@given(st.binary())
def test_no_bytes_do_more_than_be_refused(body: bytes) -> None:
    assert _refusal(body) in {Refusal.MALFORMED, Refusal.MODEL}
