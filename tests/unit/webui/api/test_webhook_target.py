"""Where messages to programs may go: the public internet, by the address that was looked at."""

import asyncio
import socket
import threading
from ipaddress import ip_address

import pytest

from core.errors.programs import WebhookRefused
from webui.api.v1.webhook_target import find_target, is_public

PUBLIC = [
    *("1.1.1.1", "93.184.215.14", "2606:4700::1111"),
    *("::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1"),
]
PRIVATE = [
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.255.255"),
    *("192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "203.0.113.1", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "100::1", "2001::1"),
    *("2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fec0::1", "ff02::1", "3fff::1", "5f00::1", "4000::1"),
]


def answers(*addresses: str) -> list[tuple[object, ...]]:
    return [(2, 1, 6, "", (address, 443)) for address in addresses]


@pytest.mark.parametrize("address", PUBLIC)
def test_what_everybody_reaches_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_somebodys_own_network_is_not(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "webhook_scheme"),
        ("a.example/x", "webhook_scheme"),
        ("ftp://a.example/", "webhook_scheme"),
        ("file:///etc/passwd", "webhook_scheme"),
        ("http://1.1.1.1/", "webhook_scheme"),
        ("http://127.0.0.1/", "webhook_scheme"),
        ("https://", "webhook_host"),
        ("https://user@1.1.1.1/", "webhook_host"),
        ("https://1.1.1.1:0/", "webhook_host"),
        ("https://1.1.1.1:99999/", "webhook_host"),
        ("https://1.1.1.1\\@127.0.0.1/", "webhook_host"),
        ("https://1.1.1.1/a b", "webhook_host"),
        ("https://1.1.1.1/\r\nX: y", "webhook_host"),
        ("https://[::1", "webhook_host"),
        ("https://localhost/", "webhook_address"),
        ("https://127.1/", "webhook_address"),
        ("https://2130706433/", "webhook_address"),
        ("https://0x7f.0.0.1/", "webhook_address"),
        ("https://0177.0.0.1/", "webhook_address"),
        ("https://0/", "webhook_address"),
        ("https://[::ffff:7f00:1]/", "webhook_address"),
        ("https://[fe80::1%25lo]/", "webhook_address"),
        ("https://169.254.169.254/latest/meta-data/", "webhook_address"),
        ("https://clapper.invalid/", "webhook_unresolved"),
    ],
)
async def test_an_address_is_refused_for_what_it_is(url: str, reason: str) -> None:
    with pytest.raises(WebhookRefused) as refused:
        await find_target(url, loopback=False)

    if url != "https://[fe80::1%25lo]/":  # not every system knows such a zone
        assert refused.value.reason == reason


async def test_one_private_address_of_a_name_is_enough_to_refuse_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers("1.1.1.1", "10.0.0.1"))

    with pytest.raises(WebhookRefused) as refused:
        await find_target("https://two.example/", loopback=True)
    assert refused.value.reason == "webhook_address"


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    target = await find_target("https://1.1.1.1/a?b=c", loopback=False)
    here = await find_target("http://localhost:8080", loopback=True)

    assert (target.url, target.host) == ("https://1.1.1.1:443/a?b=c", "1.1.1.1")
    assert here.url in {"http://127.0.0.1:8080/", "http://[::1]:8080/"}
    assert here.host == "localhost:8080"


async def test_a_name_in_any_alphabet_is_one_and_cannot_hide_where_it_leads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def resolved(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(name)
        return answers("1.1.1.1" if name.startswith("xn--") else "127.0.0.1")

    monkeypatch.setattr(socket, "getaddrinfo", resolved)

    target = await find_target("https://bücher.example/straße?q=ü", loopback=False)
    assert (target.name, target.address) == ("xn--bcher-kva.example", "1.1.1.1")
    assert target.path == "/stra%C3%9Fe?q=%C3%BC"
    assert target.host == "xn--bcher-kva.example"
    for hidden in ("https://１２７.0.0.1/", "https://127。0。0。1/", "https://①27.0.0.1/"):
        with pytest.raises(WebhookRefused):
            await find_target(hidden, loopback=False)
    assert not {"１２７.0.0.1", "127。0。0。1"} & {*asked}


async def test_names_that_are_slow_to_resolve_hold_up_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = threading.Event()

    def slow(*_: object, **__: object) -> list[tuple[object, ...]]:
        known.wait(60)
        return answers("1.1.1.1")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    monkeypatch.setattr("webui.api.v1.webhook_target.RESOLVE_S", 0.05)
    try:
        looks = [find_target(f"https://{n}.example/", loopback=False) for n in range(80)]
        refused = await asyncio.gather(*looks, return_exceptions=True)
        async with asyncio.timeout(30):
            assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()
    finally:
        known.set()

    assert {getattr(one, "reason", one) for one in refused} == {"webhook_unresolved"}
