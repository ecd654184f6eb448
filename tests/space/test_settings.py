"""A Space runs with the settings it was built with, until a variable of the Space says else."""

import pytest

from core.models.catalog import Profile
from tests.space.machine import Machine


class TestBuiltForLargeFiles:
    @pytest.fixture
    def settings_of_builder(self) -> dict[str, str]:
        return {"CLAPPER_MODEL_PROFILE": "bf16", "CLAPPER_MAX_SECONDS": "7"}

    async def test_a_space_built_for_the_large_files_uses_them_on_a_whole_card(
        self, machine: Machine
    ) -> None:
        machine.preload(Profile.BF16)
        async with machine.running() as space, space.visitor("ada") as ada:
            await ada.made(await ada.ask())
            state = await ada.state()

        assert [lease.size for lease in machine.lender.leases] == ["xlarge"]
        assert "bf16" in str(state["model"])
        assert "rtx-pro-6000-half" not in str(state["model"])
        assert "7 s" in str(state["model"])

    async def test_a_variable_of_the_space_wins(self, machine: Machine) -> None:
        variables = {"CLAPPER_MODEL_PROFILE": "fp8", "CLAPPER_MAX_SECONDS": "9"}
        async with machine.running(**variables) as space, space.visitor("ada") as ada:
            await ada.made(await ada.ask())
            state = await ada.state()

        assert [lease.size for lease in machine.lender.leases] == ["large"]
        assert "fp8" in str(state["model"])
        assert "9 s" in str(state["model"])
