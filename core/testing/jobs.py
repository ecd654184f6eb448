"""Submit jobs in somebody's name, without a front and the rules of its places."""

from core.app.core import Core
from core.domain.fairness import ORDINARY
from core.domain.jobs import ReplyTo, Ticket
from core.domain.people import Payer, Requester
from core.domain.requests import Composition, Request
from core.service.submission import Submitter


async def submit_request(
    core: Core,
    request: Request | Composition,
    requester: Requester,
    reply_to: ReplyTo,
    key: str,
    weight: int = ORDINARY,
    payer: Payer | None = None,
) -> Ticket:
    """Submit a request for ``requester``, without the rules of any place."""
    composition = request if isinstance(request, Composition) else Composition(request, ())
    submitter = Submitter(requester, weight, payer)
    return await core.submission.submit(composition, submitter, reply_to, key)
