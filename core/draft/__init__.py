"""The animatic: what a request would look like, drawn by a program on the CPU, without any model.

Belongs here: pictures and sound made from the request with numpy and Pillow, honest about
themselves. Never here: models, encoding, queues; nor ambition, this is a tool and not the product.
"""

from core.draft.executor import DraftExecutor

__all__ = ["DraftExecutor"]
