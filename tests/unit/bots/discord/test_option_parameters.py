"""Every option of every mode, as an option of Discord's commands.

The tests read the tables: a row or a mode that is left out somewhere fails here by its name.
"""

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import TraceConfig

from bots.discord.client import ClapperClient
from bots.discord.localization import CommandTranslator, choice_label, localised_name
from bots.discord.option_parameters import check_limits, options_of, values_of
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, Option, OptionKind
from core.i18n.messages import languages, name, sentences
from core.i18n.option_words import mode_summary, option_hint
from tests.support.option_values import CASES, LIMITS, add_row, case_name, something
from tests.support.platforms.discord.rules import check_commands

KINDS = {OptionKind.NUMBER: 10, OptionKind.COUNT: 4}  # everything else is typed as text: 3
ROWS = {
    OptionKind.TEXT: Option("mood", OptionKind.TEXT),
    OptionKind.CHOICE: Option("mood", OptionKind.CHOICE, ("calm", "wild")),
    OptionKind.NUMBER: Option("mood", OptionKind.NUMBER, bounds=lambda _: (0.5, 2), unit="x"),
    OptionKind.COUNT: Option("mood", OptionKind.COUNT, bounds=lambda _: (1, 9)),
    OptionKind.SEED: Option("mood", OptionKind.SEED, bounds=lambda _: (0, 9)),
}
TYPED = {
    OptionKind.TEXT: ("grim", "grim"),
    OptionKind.CHOICE: ("wild", "wild"),
    OptionKind.NUMBER: (1.5, 1.5),
    OptionKind.COUNT: (3, 3),
    OptionKind.SEED: (str(2**53 + 1), 2**53 + 1),
}


async def commands() -> list[dict[str, Any]]:
    """Everything that a client sends to Discord, with all translations."""
    client = ClapperClient(TraceConfig())
    client.add_commands(SimpleNamespace(users=SimpleNamespace(limits=LIMITS), state=None))
    translator = CommandTranslator()
    await client.tree.set_translator(translator)
    return [
        await command.get_translated_payload(client.tree, translator)
        for command in client.tree.get_commands()
    ]


async def parameters(mode: Mode) -> dict[str, dict[str, Any]]:
    """The options of a mode's command, by name."""
    command = next(item for item in await commands() if item["name"] == mode)
    return {option["name"]: option for option in command["options"]}


@pytest.mark.parametrize(("mode", "option"), CASES, ids=case_name)
async def test_every_command_asks_for_every_option_as_its_row_says(
    mode: Mode, option: Option
) -> None:
    found = (await parameters(mode)).get(option.name)

    assert found is not None, option.name
    assert found["description"] == option_hint(option, LIMITS)
    assert found["description_localizations"]["de"] == option_hint(option, LIMITS, "de")
    assert found["type"] == KINDS.get(option.kind, 3)
    if option.kind in KINDS:
        assert (found["min_value"], found["max_value"]) == option.range_in(LIMITS)
    if option.kind is OptionKind.TEXT:
        assert found["max_length"] == LIMITS.prompt_characters
    if option.kind is OptionKind.CHOICE and not found.get("autocomplete"):
        assert {c["value"]: c["name"] for c in found["choices"]} == {
            choice: choice_label(option, choice, None) for choice in option.choices
        }


@pytest.mark.parametrize(("mode", "option"), CASES, ids=case_name)
async def test_what_is_chosen_in_a_command_reaches_the_options(mode: Mode, option: Option) -> None:
    sent = str(something(option)) if option.kind is OptionKind.SEED else something(option)

    options = options_of({option.name: sent, "private": True}, mode, LIMITS)

    assert getattr(options, option.name) == something(option)


@pytest.mark.parametrize("kind", ROWS)
async def test_a_new_row_is_in_every_command_with_label_hint_and_range(
    monkeypatch: pytest.MonkeyPatch, kind: OptionKind
) -> None:
    row = ROWS[kind]
    add_row(monkeypatch, row)
    given, value = TYPED[kind]

    for mode in MODES:
        found = (await parameters(mode))["mood"]
        assert found["description"] == "What mood does"
        assert found["name_localizations"] == {
            language: "mood_name" for language in languages() if language != "en"
        }
        assert found["type"] == KINDS.get(kind, 3)
        if kind in KINDS:
            assert (found["min_value"], found["max_value"]) == row.range_in(LIMITS)
        assert bool(found.get("autocomplete")) == (kind in {OptionKind.CHOICE, OptionKind.SEED})
        assert values_of({"mood": given}, mode, LIMITS) == {"mood": value}
    check_commands(await commands())


async def test_a_row_of_some_modes_is_in_their_commands_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_row(monkeypatch, replace(ROWS[OptionKind.TEXT], modes=frozenset({Mode.LIPSYNC})))

    having = {mode for mode in MODES if "mood" in await parameters(mode)}

    assert having == {Mode.LIPSYNC}
    assert values_of({"mood": "grim"}, Mode.T2V, LIMITS) == {}


async def test_every_mode_has_a_command_with_its_files_and_words() -> None:
    found = {command["name"]: command for command in await commands()}

    for mode, spec in MODES.items():
        assert found[mode]["description"] == mode_summary(mode)
        assert found[mode]["description_localizations"]["de"] == mode_summary(mode, "de")
        files = {o["name"] for o in found[mode]["options"] if o["type"] == 11}
        assert files == {slot.role for slot in spec.every_slot}
        needed = [o["name"] for o in found[mode]["options"] if o.get("required")]
        assert needed == [slot.role for slot in spec.slots] + ["prompt"] * spec.prompt_required


async def test_the_local_discord_takes_all_commands() -> None:
    check_commands(await commands())


async def test_no_name_for_discord_is_left_of_what_is_gone() -> None:
    names: dict[str, set[str]] = {"commands": set(), "options": set()}
    described = set[str]()

    def collect(item: dict[str, Any], table: str) -> None:
        names[table].add(item["name"])
        described.add(item.get("description", ""))
        for inner in item.get("options") or []:
            collect(inner, "commands" if inner["type"] == 1 else "options")

    for command in await commands():
        collect(command, "commands")
        described.add(command["name"])
    words = sentences("en")

    for table, known in names.items():
        own = {code.partition(".")[2] for code in words if code.startswith(f"{table}.")}
        assert own <= known, table
    ours = [code for code in words if re.fullmatch(r"[dom]_\w+", code)]
    assert [code for code in ours if words[code] not in described] == []


@pytest.mark.parametrize("language", [language for language in languages() if language != "en"])
def test_a_name_for_discord_stands_only_where_it_differs_from_the_thing(language: str) -> None:
    words = sentences(language)
    for table, identifiers in {"commands": MODES, "options": OPTIONS}.items():
        for identifier in identifiers:
            own = words.get(f"{table}.{identifier}")
            space = "-" if table == "commands" else "_"
            derived = name(identifier, language).lower().replace(" ", space)
            assert own != derived, identifier
            assert localised_name(table, identifier, language) == own or derived


def too_many(monkeypatch: pytest.MonkeyPatch, count: int, **row: Any) -> None:
    for number in range(count):
        add_row(monkeypatch, Option(f"extra{number}", OptionKind.TEXT, **row))


def test_more_options_than_a_command_takes_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_limits(LIMITS)
    too_many(monkeypatch, 25)

    with pytest.raises(ValueError, match=r"/t2v: \d+ options, Discord takes 25: .*extra24"):
        check_limits(LIMITS)


def test_more_fields_than_a_form_takes_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    too_many(monkeypatch, 3, in_edit=True)

    with pytest.raises(ValueError, match=r"6 fields, Discord takes 5: .*extra2"):
        check_limits(LIMITS)


@pytest.mark.parametrize(
    ("row", "words", "why"),
    [
        (Option("image", OptionKind.TEXT), {}, "/i2v: two options are called 'image'"),
        (Option("spoiler", OptionKind.TEXT), {}, "two options are called 'spoiler'"),
        (Option("mood", OptionKind.TEXT), {"name": "Seed"}, "two options are called 'seed'"),
        (Option("Mood", OptionKind.TEXT), {}, "'Mood' is no name"),
        (Option("mood", OptionKind.TEXT), {"name": "x" * 33}, "is no name"),
        (Option("mood", OptionKind.TEXT), {"hint": "x" * 101}, "mood is described in 101"),
        (Option("mood", OptionKind.TEXT, in_edit=True), {"name": "x " * 23}, "mood is called"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_row_that_discord_cannot_show_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, row: Option, words: dict[str, str], why: str
) -> None:
    add_row(monkeypatch, row, **words)

    with pytest.raises(ValueError, match=re.escape(why)):
        check_limits(LIMITS)
