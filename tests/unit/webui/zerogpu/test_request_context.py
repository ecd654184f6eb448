"""In whose name a GPU is borrowed: the newest token of who still asks."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from gradio.context import LocalContext
from starlette.requests import Request

from core.domain.people import Payer, Requester
from core.duration import Tier
from core.errors import Cancelled
from core.runtime.cancellation import CancelToken
from webui.auth.visitors import Visitor
from webui.zerogpu.errors import GpuPageClosed, GpuTokenExpired
from webui.zerogpu.request_context import FRESH_S, WAIT_S, Borrower, RequestContexts

ANN, BEN = Requester("studio", "guest-ann"), Requester("studio", "guest-ben")


class Clock:
    """Seconds that pass when told to; or with every look, so that a wait ends at once."""

    def __init__(self) -> None:
        self.at_s = 1000.0
        self.each_look_s = 0.0

    def __call__(self) -> float:
        self.at_s += self.each_look_s
        return self.at_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def contexts(clock: Clock) -> RequestContexts:
    contexts = RequestContexts(clock)
    contexts.wanted = True
    return contexts


def asking(token: str | None, **headers: str) -> Request:
    sent = {**headers, **({} if token is None else {"x-ip-token": token})}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()]
    return Request({"type": "http", "headers": raw})


def seen(borrower: Borrower) -> str | None:
    """The token that the lender's package would send."""

    def token() -> str | None:
        request: Any = LocalContext.request.get(None)
        return None if request is None else request.headers.get("x-ip-token")

    return borrower.run(token)


@pytest.fixture
def borrower(contexts: RequestContexts) -> Callable[[Requester], Borrower]:
    return lambda who: Borrower(contexts, who.key, CancelToken())


def test_every_loan_asks_with_the_newest_token_of_its_own_visitor(
    contexts: RequestContexts, borrower: Callable[[Requester], Borrower]
) -> None:
    ann = borrower(ANN)
    contexts.note(Visitor(ANN), asking("ann-1"))
    contexts.note(Visitor(BEN), asking("ben-1"))
    assert seen(ann) == "ann-1"

    contexts.note(Visitor(ANN), asking("ann-2"))
    contexts.note(Visitor(BEN), asking("ben-2"))

    assert seen(ann) == "ann-2"
    assert seen(borrower(BEN)) == "ben-2"


def test_nothing_of_a_request_is_kept_but_what_the_lender_reads(
    contexts: RequestContexts, borrower: Callable[[Requester], Borrower]
) -> None:
    contexts.note(Visitor(ANN), asking("ann", cookie="secret", x_gradio_user="app"))

    headers = borrower(ANN).visitor().headers

    assert headers == {"x-ip-token": "ann", "x-gradio-user": "app"}
    assert "ann" not in repr(borrower(ANN).visitor())


def test_a_request_without_a_token_takes_none_away(
    contexts: RequestContexts, clock: Clock, borrower: Callable[[Requester], Borrower]
) -> None:
    contexts.note(Visitor(ANN), asking("ann"))
    contexts.note(Visitor(ANN), asking(None))
    assert seen(borrower(ANN)) == "ann"

    clock.at_s += FRESH_S + 1
    contexts.note(Visitor(ANN), asking(None))

    assert seen(borrower(ANN)) is None


def test_what_a_browser_made_before_it_signed_in_is_borrowed_for_by_its_account(
    contexts: RequestContexts, borrower: Callable[[Requester], Borrower]
) -> None:
    account = Requester("hf", "7")
    payer = Payer(account.key, tier="pro")
    contexts.note(Visitor(account, payer, earlier=ANN), asking("account"))

    assert seen(borrower(ANN)) == "account"
    assert borrower(account).visitor().tier is Tier.PRO


@pytest.mark.parametrize("before", [True, False], ids=["left", "never came"])
def test_who_left_is_told_so(
    contexts: RequestContexts,
    clock: Clock,
    borrower: Callable[[Requester], Borrower],
    *,
    before: bool,
) -> None:
    if before:
        contexts.note(Visitor(ANN), asking("ann"))
        clock.at_s += FRESH_S + 1
    clock.each_look_s = WAIT_S

    with pytest.raises(GpuPageClosed):
        borrower(ANN).run(pytest.fail)


def test_a_program_has_no_page_and_is_told_that_its_request_aged(
    contexts: RequestContexts, clock: Clock, borrower: Callable[[Requester], Borrower]
) -> None:
    contexts.note(Visitor(ANN), asking("ann"), page=False)
    assert seen(borrower(ANN)) == "ann"  # while it is fresh
    clock.at_s += FRESH_S + 1
    clock.each_look_s = WAIT_S

    with pytest.raises(GpuTokenExpired):
        borrower(ANN).run(pytest.fail)


def refusing(*tokens: str) -> Callable[[], str]:
    def lend() -> str:
        request: Any = LocalContext.request.get(None)
        token = str(request.headers["x-ip-token"])
        if token in tokens:
            raise GpuTokenExpired
        return token

    return lend


def test_an_aged_token_is_tried_again_with_the_one_that_comes_next(
    contexts: RequestContexts, borrower: Callable[[Requester], Borrower]
) -> None:
    contexts.note(Visitor(ANN), asking("aged"))
    made: list[str] = []
    loan = threading.Thread(target=lambda: made.append(borrower(ANN).run(refusing("aged"))))
    loan.start()
    contexts.note(Visitor(BEN), asking("ben"))  # somebody else's helps nobody
    contexts.note(Visitor(ANN), asking("aged"))  # nor does the same one again
    contexts.note(Visitor(ANN), asking("new"))
    loan.join(10)

    assert made == ["new"]


def test_a_token_is_tried_again_once_only(
    contexts: RequestContexts, borrower: Callable[[Requester], Borrower]
) -> None:
    contexts.note(Visitor(ANN), asking("one"))
    told: list[type[Exception]] = []

    def lend() -> None:
        try:
            borrower(ANN).run(refusing("one", "two"))
        except GpuTokenExpired as error:
            told.append(type(error))

    loan = threading.Thread(target=lend)
    loan.start()
    contexts.note(Visitor(ANN), asking("two"))
    loan.join(10)

    assert told == [GpuTokenExpired]


@pytest.mark.parametrize(("asks", "told"), [(True, GpuTokenExpired), (False, GpuPageClosed)])
def test_after_a_refusal_it_is_told_apart_whether_the_page_is_still_there(
    contexts: RequestContexts,
    clock: Clock,
    borrower: Callable[[Requester], Borrower],
    told: type[Exception],
    *,
    asks: bool,
) -> None:
    contexts.note(Visitor(ANN), asking("aged"))

    def lend() -> None:
        clock.at_s += 1
        if asks:
            contexts.note(Visitor(ANN), asking("aged"))
        clock.each_look_s = WAIT_S
        raise GpuTokenExpired

    with pytest.raises(told):
        borrower(ANN).run(lend)


def test_a_cancel_ends_the_wait_for_a_visitor(contexts: RequestContexts) -> None:
    cancel = CancelToken()
    cancel.cancel()

    with pytest.raises(Cancelled):
        Borrower(contexts, ANN.key, cancel).visitor()


def test_nobody_in_particular_borrows_in_the_name_of_the_space(
    contexts: RequestContexts,
) -> None:
    nobody = Borrower(contexts, "", CancelToken())

    assert seen(nobody) is None
    with pytest.raises(GpuTokenExpired):
        nobody.run(_refused)


def _refused() -> None:
    raise GpuTokenExpired


def test_the_visitors_who_asked_last_are_remembered(
    contexts: RequestContexts,
    borrower: Callable[[Requester], Borrower],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webui.zerogpu.request_context._KEPT", 2)
    for name in ("ann", "ben", "ann", "cem"):
        contexts.note(Visitor(Requester("studio", f"guest-{name}")), asking(name))

    assert seen(borrower(ANN)) == "ann"
    assert len(contexts._newest) == 2  # pyright: ignore[reportPrivateUsage]


def test_who_keeps_no_cookie_is_not_remembered(contexts: RequestContexts) -> None:
    """Each of their requests is another guest's: they would push out everybody else."""
    contexts.note(Visitor(ANN, cookie="fresh"), asking("ann"))

    assert not contexts._newest  # pyright: ignore[reportPrivateUsage]
