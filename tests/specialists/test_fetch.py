from __future__ import annotations

import gzip
import socket
import ssl
import threading
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from harness.specialists.addresses import addresses_of, is_public
from harness.specialists.fetch import AGENT, NotRead
from tests.specialists.web import (
    ARTICLE,
    Names,
    Pages,
    Served,
    a_web,
    certified,
    loopback_too,
    serving,
)

PAGE = Served(ARTICLE.encode())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",  # noqa: S104  # an address among others
        "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "2002:a9fe:a9fe::1", "2001:0:7f00:1::", "fec0::1", "fe80::1%1",
    ],
)  # fmt: skip
def test_an_address_that_not_everybody_reaches_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "127.1"])
def test_this_machine_is_found_behind_any_way_to_write_it(host: str) -> None:
    assert all(not is_public(each) for each in addresses_of(host, 80))
    with pytest.raises(NotRead, match="no public address"):
        a_web(allowed=is_public).fetch(f"http://{host}:9/")


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1]:9/", "http://[::ffff:127.0.0.1]:9/", "http://localhost:9/",
        "http://169.254.169.254/latest/meta-data", "http://0:9/", "https://127.0.0.1:9/",
    ],
)  # fmt: skip
def test_without_the_hook_of_the_tests_this_machine_is_not_asked(url: str) -> None:
    with pytest.raises(NotRead, match="no public address"):
        a_web(allowed=is_public).fetch(url)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/", "file:///etc/passwd", "gopher://a", "http://", "http:///x",
        "http://me:secret@127.0.0.1/", "http://127.0.0.1:0/", "http://[::1", "javascript:1",
        "http://127.0.0.1:99999/", "http://a\0b/", f"http://{'a' * 300}.example/", "http://a b/",
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(NotRead) as refused:
        a_web().fetch(url)
    assert "secret" not in str(refused.value)


def test_a_page_comes_with_its_type() -> None:
    with serving({"/a?b=c": PAGE}) as site:
        page = a_web().fetch(f"{site.url}/a?b=c#part")
    assert page.body == ARTICLE.encode()
    assert page.content_type == "text/html; charset=utf-8"
    assert site.asked == ["/robots.txt", "/a?b=c"]


def test_one_private_address_among_several_is_enough_to_refuse() -> None:
    names = Names({"two.example": ["93.184.216.34", "10.0.0.1"]})
    with pytest.raises(NotRead, match=r"two\.example is 10\.0\.0\.1"):
        a_web(names).fetch("http://two.example/")


def test_a_private_address_is_said_once_with_what_to_do_and_no_word_of_robots() -> None:
    with pytest.raises(NotRead) as refused:
        a_web(allowed=is_public).fetch("http://127.0.0.1:9/")
    said = str(refused.value)
    assert said.startswith("127.0.0.1 is no public address but a private or reserved one")
    assert "save the page as a file" in said
    assert "robots" not in said


def test_once_it_is_stopped_nothing_more_is_asked_for() -> None:
    with serving({"/": Served(status=503)}) as site:
        web = a_web()
        web.world = replace(web.world, pause=lambda _s: web.stopped.set())
        with pytest.raises(NotRead, match="the command has ended"):
            web.fetch(site.url)
    assert site.asked == ["/robots.txt", "/"]


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    with serving({"/": PAGE}) as site:
        names = Names({"here.example": "127.0.0.1"})
        a_web(names).fetch(f"http://here.example:{site.port}/")
    # robots.txt and the page: each one lookup, and none by whoever connects
    assert names.asked == ["here.example", "here.example"]


def test_a_name_that_changes_its_address_is_checked_again_and_refused() -> None:
    with serving({"/": PAGE}) as site:
        answers = iter(["127.0.0.1", "10.0.0.7"])
        web = a_web()
        web.world = type(web.world)(
            resolve=lambda _host, _port: (ip_address(next(answers)),),
            allowed=loopback_too,
            pause=lambda _s: None,
        )
        with pytest.raises(NotRead, match=r"10\.0\.0\.7"):
            web.fetch(f"http://rebound.example:{site.port}/")
    assert site.asked == ["/robots.txt"]


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/", "http://169.254.169.254/", "http://[::ffff:10.0.0.1]/",
        "file:///etc/passwd", "http://0x0a000001/", "//192.168.0.1/",
    ],
)  # fmt: skip
def test_a_redirect_is_checked_like_the_first_address(target: str) -> None:
    with (
        serving({"/": Served(status=302, headers={"Location": target})}) as site,
        pytest.raises(NotRead, match=r"no public address|no address of the web"),
    ):
        a_web().fetch(site.url)


def test_a_redirect_is_followed_and_one_that_never_ends_is_not() -> None:
    pages: Pages = {
        "/old": Served(status=301, headers={"Location": "/new"}),
        "/new": PAGE,
        "/round": Served(status=302, headers={"Location": "/round"}),
    }
    with serving(pages) as site:
        assert a_web().fetch(f"{site.url}/old").url == f"{site.url}/new"
        with pytest.raises(NotRead, match="redirected more than"):
            a_web().fetch(f"{site.url}/round")


def robots(text: str) -> Served:
    return Served(text.encode(), "text/plain")


@pytest.mark.parametrize(
    ("rules", "path", "may"),
    [
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /private", "/a", True),
        ("User-agent: *\nDisallow: /*.html$", "/a.html", False),
        (f"User-agent: *\nDisallow: /\nUser-agent: {AGENT}\nAllow: /", "/a", True),
        (f"User-agent: {AGENT}\nDisallow: /a", "/a", False),
        ("\0\xff garbage", "/a", True),
        ("", "/a", True),
    ],
)
def test_what_robots_txt_says_is_kept(rules: str, path: str, *, may: bool) -> None:
    with serving({"/robots.txt": robots(rules), path: PAGE}) as site:
        if may:
            assert a_web().fetch(site.url + path).body
        else:
            with pytest.raises(NotRead, match=r"robots\.txt disallows"):
                a_web().fetch(site.url + path)
            assert path not in site.asked


def test_the_rules_of_a_site_that_cannot_give_them_forbid_everything() -> None:
    with (
        serving({"/robots.txt": Served(status=503), "/": PAGE}) as site,
        pytest.raises(NotRead, match=r"robots\.txt cannot be read"),
    ):
        a_web().fetch(site.url)


def test_robots_txt_is_asked_for_once_however_many_pages_are_fetched() -> None:
    with serving({"/a": PAGE, "/b": PAGE}) as site:
        web = a_web()
        threads = [threading.Thread(target=web.fetch, args=(site.url + p,)) for p in ("/a", "/b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(site.asked) == ["/a", "/b", "/robots.txt"]


def test_what_may_pass_is_tried_again_after_the_pause_that_was_asked_for() -> None:
    busy = Served(status=429, headers={"Retry-After": "7"})
    pauses: list[float] = []
    with serving({"/": [busy, Served(status=503), PAGE]}) as site:
        assert a_web(pauses=pauses).fetch(site.url).body == PAGE.body
    assert pauses == [7, 3]


@pytest.mark.parametrize("status", [404, 403, 410, 500, 503])
def test_a_page_that_does_not_come_is_told_with_its_status(status: int) -> None:
    pages: Pages = {"/": Served(status=status), "/robots.txt": robots("")}
    with serving(pages) as site, pytest.raises(NotRead, match=str(status)):
        a_web().fetch(site.url)


def test_a_huge_page_is_not_read_to_its_end() -> None:
    pages: Pages = {"/": Served(b"x" * 200_000), "/packed": Served(b"", headers={})}
    bomb = gzip.compress(b"x" * 50_000_000)
    pages["/packed"] = Served(bomb, headers={"Content-Encoding": "gzip"})
    with serving(pages) as site:
        for path in pages:
            with pytest.raises(NotRead, match="larger than 100,000 bytes"):
                a_web().fetch(site.url + path)


def test_a_packed_page_is_unpacked() -> None:
    packed = Served(gzip.compress(ARTICLE.encode()), headers={"Content-Encoding": "gzip"})
    with serving({"/": packed}) as site:
        assert a_web().fetch(site.url).body == ARTICLE.encode()


@pytest.mark.parametrize(("coding", "body"), [("br", b"x"), ("gzip", b"no gzip")])
def test_what_cannot_be_unpacked_is_refused(coding: str, body: bytes) -> None:
    with (
        serving({"/": Served(body, headers={"Content-Encoding": coding})}) as site,
        pytest.raises(NotRead, match="packed"),
    ):
        a_web().fetch(site.url)


def test_a_page_that_drips_for_ever_is_cut_off() -> None:
    done = threading.Event()
    with serving({"/": Served(b"<p>", drip=done)}) as site:
        try:
            with pytest.raises(NotRead, match=r"not there after 0\.2 seconds"):
                a_web(timeout_s=0.2).fetch(site.url)
        finally:
            done.set()


def test_a_page_that_breaks_off_is_no_page() -> None:
    pages: Pages = {"/": Served(b"half", cut=10), "/robots.txt": robots("")}
    with serving(pages) as site, pytest.raises(NotRead):
        a_web(timeout_s=0.5).fetch(site.url)


def test_over_tls_the_certificate_is_held_to_the_name_and_not_to_the_address(
    tmp_path: Path,
) -> None:
    server, trusted = certified(tmp_path, "here.example")
    names = Names({"here.example": "127.0.0.1", "other.example": "127.0.0.1"})

    def tls() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(trusted))

    with serving({"/": PAGE}, server) as site:
        page = a_web(names, tls=tls).fetch(f"https://here.example:{site.port}/")
        assert page.body == PAGE.body
        with pytest.raises(NotRead, match="CERTIFICATE_VERIFY_FAILED"):
            a_web(names, tls=tls).fetch(f"https://other.example:{site.port}/")
        with pytest.raises(NotRead, match="CERTIFICATE_VERIFY_FAILED"):
            a_web(names).fetch(f"https://here.example:{site.port}/")


def test_a_server_that_never_finishes_its_greeting_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(NotRead, match=r"not there after 0\.2 seconds|timed out"):
            a_web(timeout_s=0.2).fetch(f"https://127.0.0.1:{port}/")


def test_https_does_not_lead_to_http(tmp_path: Path) -> None:
    server, trusted = certified(tmp_path, "here.example")
    names = Names({"here.example": "127.0.0.1"})
    away = Served(status=302, headers={"Location": "http://here.example/"})
    with (
        serving({"/": away}, server) as site,
        pytest.raises(NotRead, match="leads away from https"),
    ):
        a_web(names, tls=lambda: ssl.create_default_context(cafile=str(trusted))).fetch(
            f"https://here.example:{site.port}/"
        )


def test_a_name_that_leads_nowhere_is_told() -> None:
    with pytest.raises(NotRead, match="cannot be found"):
        a_web().fetch("http://nowhere.invalid/")
