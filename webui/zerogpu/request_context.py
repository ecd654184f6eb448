# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""In whose name the Space borrows a GPU: the context of the request in which a job was asked for.

A Space's day of GPU time belongs to the visitor, who is known by a header of the request. The
executor runs elsewhere and later, so the context waits here. It is never stored: after a restart a
job runs in the name of the Space.
"""

import threading
from collections import OrderedDict
from contextvars import Context, copy_context

import gradio as gr
from gradio.context import LocalContext
from starlette.requests import Request

_KEPT = 500


class RequestContexts:
    """Contexts by job, for one use each; written by the web server, read by the executor."""

    def __init__(self) -> None:
        self.wanted = False  # only an executor that borrows its GPU asks for them
        self._found: OrderedDict[str, Context] = OrderedDict()
        self._arrived = threading.Condition()

    def keep(self, job_id: str, request: Request | None = None) -> None:
        """Remember the present context for ``job_id``, or that of a plain ``request``."""
        if not self.wanted:
            return
        context = copy_context()
        if request is not None:
            context.run(LocalContext.request.set, gr.Request(request))
        with self._arrived:
            self._found[job_id] = context
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
            self._arrived.notify_all()

    def take(self, job_id: str, wait_s: float = 1.0) -> Context:
        """Hand out the context of ``job_id`` once; the answer to its request may be under way."""
        with self._arrived:
            self._arrived.wait_for(lambda: job_id in self._found, wait_s)
            return self._found.pop(job_id, None) or copy_context()
