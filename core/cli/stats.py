"""``clapper stats``: what the estimates said, held against what the recorded runs took."""

import asyncio
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.table import Table

from core.cli.estimate import recorded
from core.cli.plot import draw_plot
from core.cli.terminal import out
from core.errors import InvalidInput
from core.i18n.messages import say
from core.media.output.destinations import check_free, free_name
from core.runtime.paths import readable
from core.settings import Settings, load_settings
from core.storage.runs import RecordedRun, recent_runs

APP = typer.Typer()


class PlotRefused(InvalidInput):
    """The plot cannot be written to ``path``; ``detail`` is the system's reason."""

    path: str
    detail: str


@APP.command("stats", help=say("help_stats"))
def stats_command(
    plot: Annotated[Path | None, typer.Option(help=say("help_stats_plot"))] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help=say("help_stats_limit"))] = 500,
    *,
    force: Annotated[bool, typer.Option("--force", help=say("help_force"))] = False,
) -> None:
    """Print the table, and write the plot where one is asked for.

    Raises:
        PlotRefused: it cannot be written there.
        OutputTaken: a file lies there that is no plot of ours.
    """
    if plot is not None:
        check_free([plot.absolute()], f"--plot {readable(free_name(plot))}", force=force)
    runs = asyncio.run(_newest(load_settings(), limit))
    console = out()
    if not runs:
        console.print(say("stats_empty"))
        return
    console.print(stats_table(runs))
    points = [(r.gpu_ms / 1000, r.estimate_ms / 1000) for r in runs if r.error is None and r.gpu_ms]
    if plot is not None and points:
        labels = say("stats_axis_truth"), say("stats_axis_estimate")
        try:
            draw_plot(points, labels, say("stats_title", {"runs": len(points)}), plot)
        except OSError as error:
            raise PlotRefused(readable(plot), error.strerror or "") from None
        written = say("stats_plot_written", {"path": readable(plot)})
        console.print(written, soft_wrap=True)


async def _newest(settings: Settings, limit: int) -> list[RecordedRun]:
    async with recorded(settings) as database:
        if database is None:
            return []
        async with database.snapshot() as connection:
            return await recent_runs(connection, limit)


def stats_table(runs: list[RecordedRun]) -> Table:
    """Compare estimate and truth for each device, set of files and mode."""
    table = Table(title=say("stats_title", {"runs": len(runs)}))
    for column in ("device", "profile", "mode"):
        table.add_column(say(f"stats_{column}"))
    for column in ("runs", "failed", "estimate", "truth", "error", "covered", "wait"):
        table.add_column(say(f"stats_{column}"), justify="right")
    groups: dict[tuple[str, str, str], list[RecordedRun]] = {}
    for run in runs:
        groups.setdefault((run.place.device, run.place.profile, run.mode), []).append(run)
    for (device, profile, mode), group in sorted(groups.items()):
        good = [run for run in group if run.error is None and run.gpu_ms > 0]
        figures = _figures(good) if good else ("–",) * 5
        counts = str(len(group)), str(sum(run.error is not None for run in group))
        table.add_row(device, profile, mode, *counts, *figures)
    return table


def _figures(runs: list[RecordedRun]) -> tuple[str, ...]:
    error = median(abs(run.estimate_ms / run.gpu_ms - 1) for run in runs)
    covered = sum(run.gpu_ms <= run.p95_ms for run in runs) / len(runs)
    return (
        f"{median(run.estimate_ms for run in runs) / 1000:.1f} s",
        f"{median(run.gpu_ms for run in runs) / 1000:.1f} s",
        f"{error:.0%}",
        f"{covered:.0%}",
        f"{median(run.wait_ms for run in runs) / 1000:.0f} s",
    )
