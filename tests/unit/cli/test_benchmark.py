import io

from rich.console import Console
from typer.testing import CliRunner

from core.animatic.executor import DraftExecutor
from core.cli.benchmark import DRAFT_SIZES, run_benchmark
from core.cli.estimate import APP, known_machine
from core.cli.stats import APP as STATS
from core.settings import load_settings


async def test_calibrating_the_animatic_makes_its_estimate_right(tmp_path, monkeypatch):
    settings = load_settings(data_dir=tmp_path, executor="draft")
    said, prompts, execute = io.StringIO(), list[str](), DraftExecutor.execute

    async def noted(self, order, *arguments):
        prompts.append(order.request.prompt)
        return await execute(self, order, *arguments)

    monkeypatch.setattr(DraftExecutor, "execute", noted)

    await run_benchmark(settings, 1, Console(file=said, width=200))

    machine = await known_machine(settings, "auto", None)
    assert machine.runs == len(DRAFT_SIZES)
    assert machine.profile == "draft"
    assert len(set(prompts)) == len(DRAFT_SIZES) + 1, "reading the prompt is timed in every run"
    assert f"{len(DRAFT_SIZES)} runs recorded for draft" in said.getvalue()


def test_stats_show_and_plot_what_was_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CLAPPER_EXECUTOR", "draft")
    monkeypatch.setenv("COLUMNS", "100")
    plot = tmp_path / "plot.png"
    call = CliRunner().invoke

    assert call(APP, ["calibrate"], catch_exceptions=False).exit_code == 0
    shown = call(STATS, ["--plot", str(plot)], catch_exceptions=False)

    assert "t2v" in shown.output
    assert plot.stat().st_size > 1000
