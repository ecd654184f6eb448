"""A user's own export as the workflow of a mode.

Here belongs what reads a foreign graph: which of its inputs are the prompt, the size, the length,
the seed and the files, told by class, by links and by titles. Nothing here knows a single file of a
single user, and nothing is run.
"""

from core.workflow.adopt.findings import Adoption, AdoptionFinding, AdoptionNotice
from core.workflow.adopt.pipeline import adopt
from core.workflow.adopt.report import candidate_nodes

__all__ = [
    "Adoption",
    "AdoptionFinding",
    "AdoptionNotice",
    "adopt",
    "candidate_nodes",
]
