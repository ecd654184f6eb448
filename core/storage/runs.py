"""Rows of recorded runs and of the rates fitted to them; functions on a connection."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Insert, Row, RowMapping, delete, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from core.duration.calibration import Timing
from core.duration.machine import Rates
from core.duration.workload import Part, PartCost
from core.storage.dialects import insert_into
from core.storage.tables import INTEGER, METADATA, REAL
from core.storage.write_batch import Placeholders, WriteBatch


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where runs can be compared: the device, the model files, and ComfyUI's commit."""

    device: str
    profile: str
    pin: str  # empty for executors without ComfyUI


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One finished attempt, or one that failed on the device."""

    job_id: str
    attempt: int
    recorded_at_ms: int
    place: RunPlace
    mode: str
    preset: str
    width: int  # px
    height: int
    frames: int
    fps: int
    estimate_ms: int  # GPU-milliseconds
    p95_ms: int
    gpu_ms: int  # truth
    wait_ms: int = 0  # from submission to start
    peak_bytes: int | None = None  # device memory, where the executor tells
    error: str | None = None  # code; None where it succeeded
    timings: tuple[Timing, ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """Calibrated rates as they are kept."""

    rates: dict[Part, Rates]
    spread: float
    runs: int

    @property
    def plausible(self) -> bool:
        """Tell whether estimates by it are numbers, of a device that anybody could have."""
        each = [
            all((_up_to(_MOST_RATE, rates.a, rates.b), _up_to(_MOST_S, rates.c, rates.launch)))
            for rates in self.rates.values()
        ]
        return all(each) and _up_to(_MOST_SPREAD, self.spread) and self.runs >= 0


_PARTS = frozenset(Part)
_MOST_RATE = 1e-3  # seconds a FLOP or a byte; slow processors need a millionth of it
_MOST_S = 86_400.0
_MOST_SPREAD = 10.0  # of a logarithm: the slowest runs take e¹⁰ times as long
_MOST_WORK = 1e24  # FLOP or bytes of a part
_PLACE = ("device", "profile", "pin")
_WORK = ("flops", "slow_flops", "bytes", "host_bytes", "passes")

run_table = sa.Table(
    "run",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("attempt", INTEGER, primary_key=True),
    sa.Column("recorded_at_ms", INTEGER, nullable=False),
    *(sa.Column(name, sa.Text, nullable=False) for name in (*_PLACE, "mode", "preset")),
    *(sa.Column(name, INTEGER, nullable=False) for name in ("width", "height", "frames", "fps")),
    sa.Column("estimate_ms", INTEGER, nullable=False),
    sa.Column("p95_ms", INTEGER, nullable=False),
    sa.Column("gpu_ms", INTEGER, nullable=False),
    sa.Column("wait_ms", INTEGER, nullable=False),
    sa.Column("peak_bytes", INTEGER),
    sa.Column("error", sa.Text),
    sa.Column("pool", sa.Text, nullable=False, server_default="default"),
    sa.Index("run_by_place", *_PLACE, "recorded_at_ms"),
    sa.Index("run_by_mode", *_PLACE, "mode", "recorded_at_ms"),
)
# of `run`; a file of before has no others, and may be read beside its service
_READ = (*_PLACE, *(item.name for item in fields(RecordedRun) if item.name in run_table.c))
part_table = sa.Table(
    "run_part",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("attempt", INTEGER, primary_key=True),
    sa.Column("part", sa.Text, primary_key=True),
    *(sa.Column(name, REAL, nullable=False) for name in ("seconds", *_WORK)),
    sa.ForeignKeyConstraint(
        ("job_id", "attempt"), ("run.job_id", "run.attempt"), ondelete="CASCADE"
    ),
)
fit_table = sa.Table(
    "fit",
    METADATA,
    *(sa.Column(name, sa.Text, primary_key=True) for name in _PLACE),
    sa.Column("fitted_at_ms", INTEGER, nullable=False),
    sa.Column("spread", REAL, nullable=False),
    sa.Column("runs", INTEGER, nullable=False),
    sa.Column("pool", sa.Text, nullable=False, server_default="default"),
)
rate_table = sa.Table(
    "fit_rate",
    METADATA,
    *(sa.Column(name, sa.Text, primary_key=True) for name in (*_PLACE, "part")),
    *(sa.Column(name, REAL, nullable=False) for name in ("a", "b", "c", "launch")),
    sa.ForeignKeyConstraint(_PLACE, [f"fit.{name}" for name in _PLACE], ondelete="CASCADE"),
)


async def add_run(connection: AsyncConnection, run: RecordedRun) -> None:
    """Write ``run``, unless it is known already: a job's attempt is run once."""
    key = {"job_id": run.job_id, "attempt": run.attempt}
    plain = {item.name: getattr(run, item.name) for item in fields(run)}
    del plain["place"], plain["timings"]
    batch = WriteBatch()
    _add(batch, connection, run_table, {**plain, **asdict(run.place)})
    for timing in run.timings:
        part = {"part": timing.work.part.value, "seconds": timing.seconds}
        work = {name: getattr(timing.work, name) for name in _WORK}
        _add(batch, connection, part_table, {**key, **part, **work})
    await batch.send(connection)


def _add(
    batch: WriteBatch, connection: AsyncConnection, table: sa.Table, row: Mapping[str, Any]
) -> None:
    batch.fill(_unless_known, row, connection.dialect.name, table, tuple(row))


def _unless_known(
    given: Placeholders, dialect: str, table: sa.Table, names: tuple[str, ...]
) -> Insert:
    values = {name: given(table.c[name]) for name in names}
    return insert_into(dialect, table).values(values).on_conflict_do_nothing()


async def recent_runs(
    connection: AsyncConnection, limit: int, place: RunPlace | None = None
) -> list[RecordedRun]:
    """Read the newest runs, newest first, of ``place`` or of everywhere."""
    query = (
        select(*(run_table.c[name] for name in _READ))
        .order_by(run_table.c.recorded_at_ms.desc(), run_table.c.job_id)
        .limit(limit)
    )
    if place is not None:
        query = query.where(*(run_table.c[name] == getattr(place, name) for name in _PLACE))
    found = (await connection.execute(query)).mappings().all()
    keys = [(row["job_id"], row["attempt"]) for row in found]
    parts = await connection.execute(
        select(part_table).where(tuple_(part_table.c.job_id, part_table.c.attempt).in_(keys))
    )
    timings: dict[tuple[str, int], list[Timing]] = {}
    for row in parts:
        work = [getattr(row, name) for name in _WORK]
        if row.part not in _PARTS:  # of another version
            continue
        if not (_up_to(_MOST_S, row.seconds) and _up_to(_MOST_WORK, *work)):
            continue
        timings.setdefault((row.job_id, row.attempt), []).append(_timing(row))
    return [_run(row, timings.get((row["job_id"], row["attempt"]), [])) for row in found]


def _up_to(most: float, *values: float) -> bool:
    """Tell whether all ``values`` are numbers from 0 to ``most``."""
    return all(isfinite(value) and 0 <= value <= most for value in values)


def _timing(row: Row[Any]) -> Timing:
    return Timing(
        PartCost(Part(row.part), **{name: getattr(row, name) for name in _WORK}), row.seconds
    )


def _run(row: RowMapping, timings: Sequence[Timing]) -> RecordedRun:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    place = RunPlace(**{name: values.pop(name) for name in _PLACE})
    return RecordedRun(place=place, timings=tuple(timings), **values)


async def save_fit(connection: AsyncConnection, place: RunPlace, fit: Fit, now_ms: int) -> None:
    """Write ``fit`` in place of the one that ``place`` had."""
    key = asdict(place)
    for table in (rate_table, fit_table):
        await connection.execute(delete(table).where(*(table.c[n] == v for n, v in key.items())))
    await connection.execute(
        insert(fit_table).values(**key, fitted_at_ms=now_ms, spread=fit.spread, runs=fit.runs)
    )
    rows = [{**key, "part": part.value, **asdict(rates)} for part, rates in fit.rates.items()]
    if rows:
        await connection.execute(insert(rate_table), rows)


async def load_fit(connection: AsyncConnection, place: RunPlace) -> Fit | None:
    """Read the fit of ``place``, None where there is none yet, or none that could be true."""
    key = asdict(place)
    head = (
        await connection.execute(
            select(fit_table.c.spread, fit_table.c.runs).where(
                *(fit_table.c[n] == v for n, v in key.items())
            )
        )
    ).first()
    if head is None:
        return None
    rows = await connection.execute(
        select(rate_table).where(*(rate_table.c[n] == v for n, v in key.items()))
    )
    rates = {
        Part(row.part): Rates(row.a, row.b, row.c, row.launch) for row in rows if row.part in _PARTS
    }
    fit = Fit(rates, head.spread, head.runs)
    return fit if fit.plausible else None


async def has_runs(connection: AsyncConnection) -> bool:
    """Tell whether the file has this schema yet; an older one may be read beside a service."""
    return await connection.run_sync(lambda plain: sa.inspect(plain).has_table(run_table.name))


async def newest_place(connection: AsyncConnection) -> RunPlace | None:
    """Find where the newest run was made, None where nothing was recorded."""
    place = select(*(run_table.c[name] for name in _PLACE))
    row = (await connection.execute(place.order_by(run_table.c.recorded_at_ms.desc()))).first()
    return None if row is None else RunPlace(row.device, row.profile, row.pin)
