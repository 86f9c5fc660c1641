"""Webhooks, to a real server."""

from __future__ import annotations

import socket
import time

import pytest

from harness.cli.webhook import Post, checked_url, for_chats
from harness.errors import UsageError
from tests.cli.hooks import DRIPS, HANGS, a_hook

BODY = {"event": "batch_ended", "text": "Batch b finished"}
AT_ONCE = Post(pauses_s=(0.0, 0.0))


def sent(url: str, patience_s: float = 5.0) -> list[str]:
    warnings: list[str] = []
    AT_ONCE.deliver([url], BODY, warnings.append, patience_s)
    return warnings


def test_the_other_end_gets_the_body_as_json() -> None:
    with a_hook() as hook:
        assert sent(hook.url) == []
        assert hook.bodies == [BODY]
        assert hook.paths == ["/hook/secret-token"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    with a_hook(status, status, 200) as hook:
        assert sent(hook.url) == []
        assert len(hook.paths) == 3


def test_what_does_not_pass_is_given_up_and_named_without_its_path() -> None:
    with a_hook(500) as hook:
        (warning,) = sent(hook.url)
        assert len(hook.paths) == 3
        assert warning == (
            f"the webhook at http://127.0.0.1:{hook.port} was not told: it answered 500"
        )


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_refusal_is_not_asked_again(status: int) -> None:
    with a_hook(status) as hook:
        (warning,) = sent(hook.url)
        assert len(hook.paths) == 1
        assert f"it answered {status}" in warning


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nothing_is_sent_elsewhere(status: int) -> None:
    with a_hook(status) as hook:
        (warning,) = sent(hook.url)
        assert hook.paths == ["/hook/secret-token"]
        assert f"it answered {status}" in warning


@pytest.mark.parametrize("answer", [HANGS, DRIPS])
def test_one_that_never_answers_holds_nobody_up(answer: int) -> None:
    with a_hook(answer) as hook:
        began = time.monotonic()
        (warning,) = sent(hook.url, patience_s=0.5)
        assert time.monotonic() - began < 3
        assert "did not answer within 0.5 s" in warning
        assert "secret" not in warning


def test_one_that_hangs_keeps_nothing_from_another() -> None:
    with a_hook(HANGS) as slow, a_hook() as quick:
        warnings: list[str] = []
        AT_ONCE.deliver([slow.url, quick.url], BODY, warnings.append, 0.5)
        assert quick.bodies == [BODY]
        assert len(warnings) == 1


def test_nobody_at_the_other_end_is_a_warning() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (warning,) = sent(f"http://127.0.0.1:{port}/hook/secret-token")
    assert "Connection refused" in warning
    assert "secret" not in warning


def test_this_machine_is_not_asked_through_a_proxy() -> None:
    warnings: list[str] = []
    with a_hook() as hook:
        post = Post(proxies={"http_proxy": "http://127.0.0.1:1"}, pauses_s=())
        post.deliver([hook.url], BODY, warnings.append)
        assert (warnings, hook.bodies) == ([], [BODY])


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/secret", "this is no URL"),
        ("secret", "this is no URL"),
        ("https:///secret", "this is no URL"),
        ("https://host:99999/secret", "this is no URL"),
        ("https://[half/secret", "this is no URL"),
        ("https://ann:secret@host/x", "a name or a password"),
        ("https://host/a b/secret", "write them as %XX"),
        ("https://host/\nsecret", "write them as %XX"),
        ("http://host/secret", "use https, or say --insecure-webhook"),
        ("http://127.0.0.1.example.com/secret", "use https"),
        ("http://localhost.example.com/secret", "use https"),
        ("http://2130706433/secret", "use https"),
    ],
)
def test_an_address_that_will_not_do_is_refused_and_not_shown(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        checked_url(url, insecure=False)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/x?y=1",
        "http://localhost:8000/",
        "http://127.0.0.5/",
        "http://[::1]:80/",
        "http://me.localhost/",
    ],
)
def test_https_and_this_machine_will_do(url: str) -> None:
    assert checked_url(url, insecure=False) == url


def test_http_will_do_when_somebody_says_so() -> None:
    assert checked_url("http://host/x", insecure=True) == "http://host/x"


def test_no_chat_takes_a_name_for_a_command() -> None:
    assert for_chats("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"
