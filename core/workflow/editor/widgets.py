"""Name the values of a node's widgets, which an editor file lists by their order."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from core.workflow.editor.drawing import Entry, entries
from core.workflow.node_schema import Info

_COMBO = "COMFY_DYNAMICCOMBO_V3"
_TYPED = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COLOR", _COMBO}
_AFTER = {"fixed", "increment", "decrement", "randomize"}  # what follows the widget of a seed
_UPLOADS = {"image", "video", "audio"}  # what the button of an upload is called
_SEEDS = {"seed", "noise_seed"}


def widget_values(node: Entry, info: Info | None) -> dict[str, object] | None:
    """Return the values of the widgets of ``node`` by input.

    Args:
        node: of an editor file.
        info: of its class, as ComfyUI's object_info says it; None where nobody knows the class.

    Returns:
        None where the values cannot be told apart.
    """
    values = node.get("widgets_values")
    if isinstance(values, Mapping):
        return {
            name: value
            for name, value in cast("Info", values).items()
            if name.partition(".")[0] in _takes(node, info)
        }
    listed = cast("list[object]", values) if isinstance(values, list) else []
    rows = _rows(listed)
    if rows or any(_heads_table(value) for value in listed):
        listed = [value for value in listed if not isinstance(value, Mapping) and value != ""]
    if info is None or (listed and not any(_entries(info["input"]))):  # makes up its inputs
        named = _by_inputs(node, listed)
        return named if named is None else {**named, **rows}
    found = {**rows, **WidgetList(listed).of_class(info)}
    named = node.get("widgets_values_named")
    if isinstance(named, Mapping):  # exact, where the editor kept it
        found |= {key: value for key, value in cast("Info", named).items() if key in found}
    return found


def _rows(listed: Sequence[object]) -> dict[str, object]:
    """Name the rows of a table of LoRAs as its node does when it runs: by their order."""
    tables = (cast("Info", value) for value in listed if isinstance(value, Mapping))
    return {
        f"lora_{number}": row
        for number, row in enumerate((row for row in tables if "lora" in row), 1)
    }


def _heads_table(value: object) -> bool:
    """Tell whether ``value`` is what stands above the rows of such a table."""
    kind = cast("Info", value).get("type") if isinstance(value, Mapping) else None
    return isinstance(kind, str) and kind.endswith("HeaderWidget")


def _takes(node: Entry, info: Info | None) -> set[str]:
    if info is None:
        return set(cast("Info", node["widgets_values"]))
    return {name for name, _ in _entries(info["input"])}


def _by_inputs(node: Entry, listed: list[object]) -> dict[str, object] | None:
    """Name the values by the inputs that could take them: newer editors write all of those."""
    shown = entries(node, "inputs")
    names = [str(entry["widget"]["name"]) for entry in shown if entry.get("widget")]
    plain = WidgetList(listed)
    found = {name: plain.take(seed=name in _SEEDS) for name in names if plain.left}
    return found if len(found) == len(names) and not plain.left else None


class WidgetList:
    """The values of widgets, in the editor's order, that are still to be named."""

    def __init__(self, listed: Sequence[object]) -> None:
        self.left = list(listed)

    def take(self, *, seed: bool = False, upload: bool = False) -> object:
        """Take the next value, and what its widget brings beside it."""
        value = self.left.pop(0)
        beside = _AFTER if seed else _UPLOADS if upload else set[str]()
        if self.left and isinstance(self.left[0], str) and self.left[0] in beside:
            self.left.pop(0)
        return value

    def next(self, count: int) -> list[object]:
        """Take the next ``count`` values as they are, fewer where no more are left."""
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def of_primitive(self, type_: str) -> list[object]:
        """Take the value of a primitive that gives a ``type_``, which is one or none."""
        before = len(self.left)
        taken = [self.take(seed=True)] if self.left else []
        if type_ == "COMBO" and before - len(self.left) > 1:
            self.next(1)  # by what the editor filters the list when it goes to the next entry
        return taken

    def of_class(
        self, info: Info, *, without: Collection[str] = (), only: str | None = None
    ) -> dict[str, object]:
        """Take the values of a class, or of some of its widgets, by input.

        Args:
            info: of the class, as ComfyUI's object_info says it.
            without: widgets whose values are not next.
            only: the one whose value is next; None for all.
        """
        wanted = {
            name: entry
            for name, entry in _entries(info["input"])
            if name not in without and only in (None, name)
        }
        found: dict[str, object] = {}
        _take({"required": wanted}, self, "", found)
        return found


def _take(groups: Info, values: WidgetList, prefix: str, found: dict[str, object]) -> None:
    for name, entry in _entries(groups):
        type_, options = entry[0], cast("Info", entry[1] if len(entry) > 1 else {})
        if not values.left or not _is_widget(type_, options):
            continue
        seed = name in _SEEDS or bool(options.get("control_after_generate"))
        upload = any(key.endswith("_upload") and options[key] for key in options)
        value = values.take(seed=seed or type_ == "INT", upload=upload)
        found[f"{prefix}{name}"] = value
        if type_ == _COMBO:
            for option in options["options"]:
                if option["key"] == value:
                    _take(option["inputs"], values, f"{prefix}{name}.", found)


def _entries(groups: Info) -> Iterator[tuple[str, Sequence[Any]]]:
    for group in ("required", "optional"):
        yield from (groups.get(group) or {}).items()


def _is_widget(type_: object, options: Info) -> bool:
    if options.get("forceInput") or options.get("rawLink"):
        return False
    return isinstance(type_, list | tuple) or type_ in _TYPED
