"""Menus follow from the modes: one for each that takes files and has words for it."""

from types import SimpleNamespace

import discord
import pytest
from aiohttp import TraceConfig

from bots.discord.client import ClapperClient
from bots.discord.context_menus import add_menus
from core.domain.modes import MODES, Mode
from core.i18n.messages import sentences


def test_more_menus_than_an_application_has_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(6):
        monkeypatch.setitem(MODES, f"x{number}", MODES[Mode.I2V])
        monkeypatch.setitem(sentences("en"), f"m_x{number}", "Do it")

    with pytest.raises(ValueError, match=r"9 menus, Discord takes 5: .*x5"):
        add_menus(ClapperClient(TraceConfig()).tree, SimpleNamespace())


def test_a_mode_with_words_for_a_menu_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sentences("en"), "m_keyframe", "Join these")
    tree = ClapperClient(TraceConfig()).tree

    add_menus(tree, SimpleNamespace())

    menus = tree.get_commands(type=discord.AppCommandType.message)
    assert {"Animate", "Join these"} <= {menu.name for menu in menus}
