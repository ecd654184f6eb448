"""What an account has typed is there on its next device, is nobody else's, and can be forgotten."""

from core.app.core import Core
from core.app.serve import front_services
from core.domain.people import Requester
from webui.auth.visitors import Visitor
from webui.studio.kept_forms import MOST_BYTES, KeptForms

ADA = Visitor(Requester("hf", "64ada"), account="ada")
BEN = Visitor(Requester("studio", "user-ben"), account="ben")
GUEST = Visitor(Requester("studio", "guest-1"))
FORMS = {"t2v": {"prompt": "a boat"}}


async def test_an_account_finds_its_forms_and_nobody_else_does(core: Core) -> None:
    forms = KeptForms(front_services(core).state)

    assert await forms.write(ADA, FORMS)

    assert await forms.read(ADA) == FORMS
    assert await forms.read(BEN) == {}
    assert await forms.read(GUEST) == {}


async def test_guests_and_what_is_too_much_are_not_kept(core: Core) -> None:
    forms = KeptForms(front_services(core).state)

    assert not await forms.write(GUEST, FORMS)
    assert not await forms.write(ADA, {"t2v": {"prompt": "x" * MOST_BYTES}})

    assert await forms.read(GUEST) == await forms.read(ADA) == {}


async def test_forgetting_a_person_forgets_what_they_typed(core: Core) -> None:
    state = front_services(core).state
    forms = KeptForms(state)
    await forms.write(ADA, FORMS)
    await forms.write(BEN, FORMS)

    await state.forget(ADA.requester)

    assert await forms.read(ADA) == {}
    assert await forms.read(BEN) == FORMS
