"""The language of a person is known over a restart, and forgotten with everything else of them."""

from bots.shared.languages import KnownLanguages
from core.domain.people import Caller, Requester


async def test_it_is_known_over_a_restart_and_forgotten_with_the_person(core) -> None:
    state = core.community.state
    languages = KnownLanguages(state, "telegram")
    await languages.note(5, None)
    await languages.note(15, "de")
    await languages.note(5, "pl")

    assert await KnownLanguages(state, "telegram").of("5") == "pl"
    assert await KnownLanguages(state, "discord").of(5) is None

    await core.users.forget(Caller(Requester("telegram", "5"), "telegram:5"))
    languages.forget(5)
    assert await languages.of("5") is None
    assert await languages.of(15) == "de"
    await languages.note(5, "pl")
    assert await languages.of("5") == "pl"
