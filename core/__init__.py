"""Everything Clapper knows and does, whatever front asked for it.

Belongs here: the vocabulary (requests, jobs, errors, progress), the mechanisms (storage, queue,
quotas, workflows, models, media, delivery) and their use (service, worker, command line).
Never here: a chat or web library. Fronts import core; core finds fronts by entry point.
"""

__version__ = "0.2.0"
