from core.models.catalog import LTX_2_3
from core.workflow.sigmas import as_text, guided_sigmas

# what ComfyUI v0.27.0's LTXVScheduler gives for 30 steps, 2.05, 0.95, stretched to 0.1
SCHEDULER = {0: 1.0, 1: 0.994957, 15: 0.869858, 25: 0.553148, 28: 0.26612, 29: 0.1, 30: 0.0}


def test_guided_levels_are_those_of_the_ltx_scheduler() -> None:
    levels = guided_sigmas(LTX_2_3.guidance)

    assert len(levels) == 31
    assert {step: round(levels[step], 6) for step in SCHEDULER} == SCHEDULER
    assert list(levels) == sorted(levels, reverse=True)


def test_levels_are_written_without_exponents() -> None:
    assert as_text((1.0, 0.99375, 0.00001, 0.0)) == "1.0, 0.99375, 0.00001, 0.0"
