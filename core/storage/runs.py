"""Rows of recorded runs and of the rates fitted to them; functions on a connection."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    MetaData,
    Row,
    RowMapping,
    Table,
    Text,
    delete,
    insert,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from core.duration.calibration import Timing
from core.duration.rates import Rates
from core.duration.work import Part, Work

_METADATA = MetaData()


@dataclass(frozen=True, slots=True)
class Place:
    """What a fit holds for: the device, the model files, and ComfyUI's commit."""

    device: str
    profile: str
    pin: str  # empty for executors without ComfyUI


@dataclass(frozen=True, slots=True)
class Run:
    """One finished attempt, or one that failed on the device."""

    job_id: str
    attempt: int
    recorded_at_ms: int
    place: Place
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


RUNS = Table(
    "runs",
    _METADATA,
    Column("job_id", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("recorded_at_ms", BigInteger),
    *(Column(name, Text) for name in ("device", "profile", "pin", "mode", "preset")),
    *(Column(name, Integer) for name in ("width", "height", "frames", "fps")),
    *(Column(name, BigInteger) for name in ("estimate_ms", "p95_ms", "gpu_ms", "wait_ms")),
    Column("peak_bytes", BigInteger, nullable=True),
    Column("error", Text, nullable=True),
)
_WORK = ("flops", "slow_flops", "bytes", "host_bytes", "passes")
PARTS = Table(
    "run_parts",
    _METADATA,
    Column("job_id", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("part", Text, primary_key=True),
    *(Column(name, Float) for name in ("seconds", *_WORK)),
)
_PLACE = ("device", "profile", "pin")
FITS = Table(
    "fits",
    _METADATA,
    *(Column(name, Text, primary_key=True) for name in _PLACE),
    Column("fitted_at_ms", BigInteger),
    Column("spread", Float),
    Column("runs", Integer),
)
RATES = Table(
    "fit_rates",
    _METADATA,
    *(Column(name, Text, primary_key=True) for name in (*_PLACE, "part")),
    *(Column(name, Float) for name in ("a", "b", "c", "launch")),
)


async def add_run(connection: AsyncConnection, run: Run) -> None:
    """Write ``run``; one that is known already is replaced."""
    key = {"job_id": run.job_id, "attempt": run.attempt}
    for table in (PARTS, RUNS):
        matches = (table.c[name] == value for name, value in key.items())
        await connection.execute(delete(table).where(*matches))
    plain = {item.name: getattr(run, item.name) for item in fields(run)}
    del plain["place"], plain["timings"]
    await connection.execute(insert(RUNS).values(**plain, **asdict(run.place)))
    rows: list[dict[str, Any]] = [
        {
            **key,
            "part": timing.work.part.value,
            "seconds": timing.seconds,
            **{name: getattr(timing.work, name) for name in _WORK},
        }
        for timing in run.timings
    ]
    if rows:
        await connection.execute(insert(PARTS), rows)


async def recent_runs(
    connection: AsyncConnection, limit: int, place: Place | None = None
) -> list[Run]:
    """Return the newest runs, newest first, of ``place`` or of everywhere."""
    query = select(RUNS).order_by(RUNS.c.recorded_at_ms.desc(), RUNS.c.job_id).limit(limit)
    if place is not None:
        query = query.where(*(RUNS.c[name] == getattr(place, name) for name in _PLACE))
    found = (await connection.execute(query)).mappings().all()
    keys = [(row["job_id"], row["attempt"]) for row in found]
    parts = await connection.execute(
        select(PARTS).where(tuple_(PARTS.c.job_id, PARTS.c.attempt).in_(keys))
    )
    timings: dict[tuple[str, int], list[Timing]] = {}
    for row in parts:
        timings.setdefault((row.job_id, row.attempt), []).append(_timing(row))
    return [_run(row, timings.get((row["job_id"], row["attempt"]), [])) for row in found]


def _timing(row: Row[Any]) -> Timing:
    return Timing(Work(Part(row.part), **{name: getattr(row, name) for name in _WORK}), row.seconds)


def _run(row: RowMapping, timings: Sequence[Timing]) -> Run:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    place = Place(**{name: values.pop(name) for name in _PLACE})
    return Run(place=place, timings=tuple(timings), **values)


async def save_fit(connection: AsyncConnection, place: Place, fit: Fit, now_ms: int) -> None:
    """Write ``fit`` in place of the one that ``place`` had."""
    key = asdict(place)
    for table in (RATES, FITS):
        await connection.execute(delete(table).where(*(table.c[n] == v for n, v in key.items())))
    await connection.execute(
        insert(FITS).values(**key, fitted_at_ms=now_ms, spread=fit.spread, runs=fit.runs)
    )
    rows = [{**key, "part": part.value, **asdict(rates)} for part, rates in fit.rates.items()]
    if rows:
        await connection.execute(insert(RATES), rows)


async def load_fit(connection: AsyncConnection, place: Place) -> Fit | None:
    """Return the fit of ``place``, None where there is none yet."""
    key = asdict(place)
    head = (
        await connection.execute(select(FITS).where(*(FITS.c[n] == v for n, v in key.items())))
    ).first()
    if head is None:
        return None
    rows = await connection.execute(select(RATES).where(*(RATES.c[n] == v for n, v in key.items())))
    rates = {Part(row.part): Rates(row.a, row.b, row.c, row.launch) for row in rows}
    return Fit(rates, head.spread, head.runs)


async def newest_place(connection: AsyncConnection) -> Place | None:
    """Return where the newest run was made, None where nothing was recorded."""
    row = (await connection.execute(select(RUNS).order_by(RUNS.c.recorded_at_ms.desc()))).first()
    return None if row is None else Place(row.device, row.profile, row.pin)
