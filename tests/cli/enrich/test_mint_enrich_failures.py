"""What `mint enrich` says, keeps and exits with when it cannot do what it was asked."""

from __future__ import annotations

import json
import re
import signal
import threading
from pathlib import Path

import pytest

from harness.cli import mint_enrich
from harness.domain.provider import ENDPOINT_KEY
from harness.testing.provider import KEY, Answer, Fails, Hangs, Says, Seen
from tests.cli.enriching import GOOD, Mint, Provider, always, drawn
from tests.specialists.web import Served, Site, a_web


def test_without_the_hook_of_the_tests_no_page_of_this_machine_is_read(
    run: Mint, provider: Provider, template: Path, site: Site
) -> None:
    provider(always)
    result = run("enrich", str(template))
    assert result.exit_code == 1
    assert "127.0.0.1 is no public address" in result.stderr
    assert site.asked == []


def test_without_a_key_nothing_is_fetched(run: Mint, template: Path, site: Site) -> None:
    result = run("enrich", str(template))
    assert result.exit_code == 2
    assert "OPENROUTER_API_KEY, ANTHROPIC_API_KEY and OPENAI_API_KEY" in result.stderr
    assert "keys.env" in result.stderr
    assert "--model MODEL@URL" in result.stderr
    assert site.asked == []


@pytest.mark.usefixtures("local_web")
def test_an_endpoint_of_ones_own_needs_no_provider_and_no_key(
    run: Mint, provider: Provider, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = provider(always)
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv(ENDPOINT_KEY, KEY)
    result = run("enrich", str(template), "--model", f"mine@{double.url}", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["model"] == f"openai:mine@{double.url}"
    assert f"{ENDPOINT_KEY} its key" in " ".join(run("enrich", "--help").stdout.split())


@pytest.mark.usefixtures("local_web")
def test_a_wrong_key_is_the_users_to_change(
    run: Mint, provider: Provider, template: Path, enriched: Path
) -> None:
    provider(lambda _seen, _number: Fails(401, "no such key"))
    result = run("enrich", str(template))
    assert result.exit_code == 2, result.stderr
    assert "401" in result.stderr
    assert not enriched.exists()


@pytest.mark.usefixtures("local_web")
def test_a_provider_that_fails_for_every_document_is_the_worlds_doing(
    run: Mint, provider: Provider, template: Path, enriched: Path
) -> None:
    provider(lambda _seen, _number: Fails(402, "no money"))
    result = run("enrich", str(template))
    assert result.exit_code == 3, result.stderr
    assert not enriched.exists()


@pytest.mark.usefixtures("local_web")
def test_a_page_that_cannot_be_read_hides_no_failure_of_the_provider(
    run: Mint, provider: Provider, template: Path, site: Site
) -> None:
    site.pages["/dialog"] = Served(status=404)
    double = provider(lambda _seen, _number: Fails(401, "no such key"))
    result = run("enrich", str(template), "--model", f"openai:mine@{double.url}")
    assert result.exit_code == 2, result.stderr
    assert f"with no key; where it wants one, set {ENDPOINT_KEY}" in result.stderr
    assert result.stdout == ""


def test_ctrl_c_keeps_what_was_paid_for_and_says_that_the_rest_is_not_known(
    run: Mint,
    provider: Provider,
    template: Path,
    enriched: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    web = a_web()
    monkeypatch.setattr(mint_enrich, "open_web", lambda _settings, _timeout_s: web)

    def script(seen: Seen, _number: int) -> Answer:
        if "The guide" not in seen.raw.decode():
            return GOOD
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return Hangs(60)

    provider(script)
    result = run("enrich", str(template), "--concurrency", "1")
    assert result.exit_code == 130, result.stderr
    assert "ended early, and what was answered is kept" in result.stdout
    assert web.stopped.is_set()
    assert re.search(r"unknown price, at least \$0\.\d+; 1 of the requests got no", result.stdout)
    page, guide = drawn(enriched / "enriched-001.json5")
    assert page
    assert guide is None


@pytest.mark.usefixtures("local_web")
def test_what_nobody_answered_has_no_price_and_nothing_is_completed(
    run: Mint, provider: Provider, template: Path
) -> None:
    provider(always)
    run("enrich", str(template))
    (template.parent / "guide.md").write_text("# Another guide\n")
    provider(lambda _seen, _number: Fails(402, "no money"))
    result = run("enrich", str(template))
    assert result.exit_code == 1, result.stderr
    assert "Template enrichment is not complete" in result.stdout
    assert "Nothing new was learned: no file was written; the newest is" in result.stdout
    assert "$" not in result.stdout
    assert json.loads(run("enrich", str(template), "--json").stdout)["cost_usd"] is None


@pytest.mark.usefixtures("local_web")
def test_when_every_document_fails_nothing_is_called_complete(
    run: Mint, provider: Provider, template: Path
) -> None:
    provider(lambda _seen, _number: Says("no"))
    result = run("enrich", str(template))
    assert result.exit_code == 1
    assert "No document was enriched" in result.stdout
    assert "ompleted" not in result.stdout
    assert "has changed" not in result.stdout


@pytest.mark.usefixtures("local_web")
def test_the_budget_holds_for_all_documents_together(
    run: Mint, provider: Provider, template: Path, enriched: Path
) -> None:
    double = provider(always)
    result = run("enrich", str(template), "--max-cost", "0.00000001", "--concurrency", "1")
    assert result.exit_code == 1, result.stderr
    assert len(double.requests) <= 1
    assert not enriched.exists() or drawn(enriched / "enriched-001.json5")[1] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max-cost", "0"], "more than 0"),
        (["--model", "openai:nobody-knows-it", "--max-cost", "1"], "--max-cost cannot be kept"),
        (["--provider", "openai", "--model", "anthropic:x"], "is not of the --provider"),
        (["--provider", "nobody"], "nobody"),
        (["--concurrency", "0"], "0"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is(
    run: Mint, provider: Provider, template: Path, site: Site, arguments: list[str], said: str
) -> None:
    double = provider(always)
    result = run("enrich", str(template), *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert (double.requests, site.asked) == ([], [])
