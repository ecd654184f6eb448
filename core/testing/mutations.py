"""Damage files the same way each time, as disks, networks and attackers do."""

import random


def mutated(content: bytes, seed: int) -> bytes:
    """Return ``content`` with one to four faults that follow from ``seed``."""
    chance = random.Random(seed)  # noqa: S311  # repeatable on purpose
    made = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        _harm(made, chance)
    return bytes(made)


def _harm(made: bytearray, chance: random.Random) -> None:
    at = chance.randrange(max(1, len(made)))
    if chance.random() < 0.5:  # headers are where decoders can be misled
        at = chance.randrange(max(1, min(len(made), 512)))
    length = chance.choice((1, 1, 2, 4, 8, 64))
    match chance.randrange(6):
        case 0:
            made[at : at + length] = chance.randbytes(length)
        case 1:
            made[at : at + 4] = chance.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
        case 2:
            del made[at:]
        case 3:
            del made[at : at + length]
        case 4:
            made[at:at] = made[: chance.randrange(1, 256)]
        case _:
            if at < len(made):
                made[at] ^= 1 << chance.randrange(8)
