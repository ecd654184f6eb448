"""The animatic, drawn on the CPU: a tool, not the product. Never here: models, encoding, queues."""

from core.animatic.executor import DraftExecutor

__all__ = ["DraftExecutor"]
