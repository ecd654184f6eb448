"""The ways in which a graph with switches can be set, those first that fit a mode best."""

from collections.abc import Iterator
from itertools import combinations

from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.workflow.adopt.loaders import loaders_of
from core.workflow.adopt.switches import Setting, settings_of, with_setting
from core.workflow.graph import Graph

_MOST = 6  # settings that are tried together; a graph with more is used as it stands
_TOGETHER = 3


def variants(graph: Graph, mode: Mode) -> Iterator[tuple[Graph, tuple[Setting, ...]]]:
    """Yield ``graph`` with other and other settings, and what was set.

    First as it stands; then with every bypass of a picture as ``mode`` needs it; then with few
    settings changed. Only settings beside which a file is loaded are touched.
    """
    yield graph, ()
    bypasses = tuple(_bypasses(graph, mode))
    if bypasses:
        yield _set(graph, bypasses), bypasses
    touched = [setting for setting in settings_of(graph) if _touched(graph, setting)][:_MOST]
    for count in range(1, min(len(touched), _TOGETHER) + 1):
        for chosen in combinations(touched, count):
            places = {setting.place for setting in chosen}
            if chosen != bypasses and len(places) == count:
                yield _set(graph, chosen), chosen


def _bypasses(graph: Graph, mode: Mode) -> Iterator[Setting]:
    wanted = not MODES[mode].roles(MediaKind.IMAGE)
    pictures = {node.id for node in loaders_of(graph, MediaKind.IMAGE)}
    for setting in settings_of(graph):
        node = graph.nodes[setting.used_by]
        bypass = setting.input == "bypass" and setting.other is wanted
        if bypass and _touched(graph, setting) and graph.upstream(node.id) & pictures:
            yield setting


def _touched(graph: Graph, setting: Setting) -> bool:
    """Tell whether ``setting`` decides about a file, and is a choice that its owner made.

    A node that takes a picture has a bypass, whether or not anybody thought of using it; only a
    node of its own that sets it says that the graph is made for both.
    """
    on = setting.input == "bypass" and setting.other is True
    if on and setting.place.node == setting.used_by:
        return False
    loaded = {node.id for kind in MediaKind for node in loaders_of(graph, kind)}
    return bool(graph.upstream(setting.used_by) & loaded)


def _set(graph: Graph, settings: tuple[Setting, ...]) -> Graph:
    for setting in settings:
        graph = with_setting(graph, setting)
    return graph
