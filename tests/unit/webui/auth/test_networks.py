import pytest
from pydantic import SecretStr
from starlette.requests import Request

from core.settings import load_settings
from webui.auth.client_address import network_of
from webui.auth.networks import Networks
from webui.auth.session_cookie import AccountSession, SessionSigner


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
        ("203.0.113.9", "::ffff:203.0.113.9", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "testclient", True),
    ],
)
def test_a_network_is_an_ipv4_address_or_an_ipv6_64(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


def connection(peer: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "client": (peer, 1), "headers": headers})


def test_the_name_of_a_network_says_nothing_of_it_and_differs_between_installations(
    tmp_path,
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one = Networks(load_settings(data_dir=tmp_path / "one"))
    again = Networks(load_settings(data_dir=tmp_path / "one"))
    other = Networks(load_settings(data_dir=tmp_path / "other"))
    found = one.of(connection("203.0.113.9"))

    assert found == again.of(connection("203.0.113.9"))
    assert found != other.of(connection("203.0.113.9"))
    assert "203" not in found or len(found) == 32


def test_only_on_a_space_an_untrusted_header_says_the_address_and_only_its_last_public_part(
    tmp_path,
) -> None:
    here = Networks(load_settings(data_dir=tmp_path))
    space = Networks(load_settings(data_dir=tmp_path, space_id="a/b"))
    plain = here.of(connection("8.8.8.8"))

    assert here.of(connection("8.8.8.8", "1.1.1.1")) == plain
    assert space.of(connection("10.0.0.1", "1.1.1.1, 8.8.8.8, 10.0.0.7")) == plain
    assert space.of(connection("10.0.0.1", "1.1.1.1", "8.8.8.8")) == plain
    assert space.of(connection("8.8.8.8", "nonsense")) == plain


def test_nodes_with_one_key_give_a_network_one_name_and_read_each_others_cookies(tmp_path) -> None:
    key = SecretStr("one key of more than thirty-two characters")
    one, other = (
        load_settings(data_dir=tmp_path / name, studio_key=key) for name in ("one", "other")
    )
    session = AccountSession("hf", "1", "ada", until=2**40)

    cookie = SessionSigner.of(one).sign(session)

    assert SessionSigner.of(other).read(cookie) == session
    assert Networks(one).of(connection("8.8.8.8")) == Networks(other).of(connection("8.8.8.8"))
    assert list(tmp_path.iterdir()) == []  # and no file holds a key
