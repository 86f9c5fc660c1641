from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from harness.settings import SYSTEM_BUNDLE, Settings


def test_keys_are_known_by_name_and_never_by_value() -> None:
    settings = Settings.from_env({"OPENAI_API_KEY": "sk-secret", "ANTHROPIC_API_KEY": ""})
    assert settings.keys.get("OPENAI_API_KEY") == "sk-secret"
    assert settings.keys.get("ANTHROPIC_API_KEY") is None
    assert "sk-secret" not in repr(settings)
    with pytest.raises(TypeError, match="not copied"):
        pickle.dumps(settings)


def test_the_root_is_asked_for_before_the_environment_and_the_current_folder(
    tmp_path: Path,
) -> None:
    env = {"BENCH_ROOT": "/elsewhere"}
    assert Settings.from_env(env, root=tmp_path).root == tmp_path
    assert Settings.from_env(env).root == Path("/elsewhere")
    assert Settings.from_env({}).root == Path.cwd()


def test_image_builds_trust_what_is_named_else_what_this_machine_trusts() -> None:
    named = {"BENCH_CA_BUNDLE": "/a", "SSL_CERT_FILE": "/b"}
    assert Settings.from_env(named).ca_bundle == Path("/a")
    assert Settings.from_env({"SSL_CERT_FILE": "/b"}).ca_bundle == Path("/b")
    assert Settings.from_env({}).ca_bundle == (SYSTEM_BUNDLE if SYSTEM_BUNDLE.is_file() else None)
