"""What ComfyUI's editor saves becomes the graph that its own export would be."""

import json
from typing import Any

import pytest

from core.workflow.editor import convert, with_known_packs
from core.workflow.errors import EditorClassesUnknown, NotAWorkflow

CHOICE = [
    "COMFY_DYNAMICCOMBO_V3",
    {
        "options": [
            {"key": "by", "inputs": {"required": {"factor": ["FLOAT", {}]}}},
            {"key": "to", "inputs": {"required": {"width": ["INT", {}], "height": ["INT", {}]}}},
        ]
    },
]
CLASSES: dict[str, dict[str, Any]] = {
    kind: {"input": {"required": required}, "output_node": kind == "Save"}
    for kind, required in {
        "Load": {"image": [["a.png"], {"image_upload": True}], "rank": ["INT", {}]},
        "Noise": {"noise_seed": ["INT", {"control_after_generate": True}], "more": ["STRING", {}]},
        "Resize": {"input": ["IMAGE", {}], "how": CHOICE, "method": [["area", "nearest"], {}]},
        "Blur": {"image": ["IMAGE", {}], "radius": ["INT", {}]},
        "Text": {"text": ["STRING", {}], "clip": ["CLIP", {}]},
        "Many": {"values": ["COMFY_AUTOGROW_V3", {}], "expression": ["STRING", {}]},
        "Save": {"images": ["IMAGE", {}], "prefix": ["STRING", {}]},
    }.items()
}


def entry(key: int, kind: str, values: object = None, **more: Any) -> dict[str, Any]:
    made = {"id": key, "type": kind, "mode": 0, "inputs": [], "outputs": [], **more}
    return made if values is None else {**made, "widgets_values": values}


def socket(name: str, link: int | None, kind: str = "IMAGE", *, widget: bool = False) -> Any:
    made = {"name": name, "type": kind, "link": link}
    return {**made, "widget": {"name": name}} if widget else made


def converted(nodes: list[Any], links: list[Any], **more: Any) -> dict[str, Any]:
    text = json.dumps({"nodes": nodes, "links": links, "version": 0.4, **more})
    return convert(text, "mine.json", CLASSES).to_prompt()


IMAGE = [{"name": "IMAGE", "type": "IMAGE"}]


def test_widgets_are_named_by_their_order_without_what_belongs_to_buttons_and_seeds() -> None:
    graph = converted(
        [
            entry(1, "Load", ["a.png", "image", 3], title="my picture"),
            entry(2, "Noise", [42, "randomize", "x"]),
            entry(3, "Resize", ["to", 64, 32, "nearest"], inputs=[socket("input", 7)]),
            entry(4, "MarkdownNote", ["read me"]),
        ],
        [[7, 1, 0, 3, 0, "IMAGE"]],
    )

    assert graph["1"]["inputs"] == {"image": "a.png", "rank": 3}
    assert graph["1"]["_meta"]["title"] == "my picture"
    assert graph["2"]["inputs"] == {"noise_seed": 42, "more": "x"}
    assert graph["3"]["inputs"] == {
        "input": ["1", 0], "how": "to", "how.width": 64, "how.height": 32, "method": "nearest",
    }  # fmt: skip
    assert "4" not in graph


def test_what_is_bypassed_hands_on_and_what_is_muted_is_cut() -> None:
    nodes = [
        entry(1, "Load", ["a.png", "image", 3], outputs=IMAGE),
        entry(2, "Blur", [5], mode=4, inputs=[socket("image", 1)], outputs=IMAGE),
        entry(3, "Save", ["x"], inputs=[socket("images", 2)]),
        entry(4, "Blur", [5], mode=2, inputs=[socket("image", 3)], outputs=IMAGE),
        entry(5, "Save", ["y"], inputs=[socket("images", 4)]),
    ]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"], [3, 1, 0, 4, 0, "IMAGE"],
             [4, 4, 0, 5, 0, "IMAGE"]]  # fmt: skip

    graph = converted(nodes, links)

    assert graph["3"]["inputs"] == {"prefix": "x", "images": ["1", 0]}
    assert graph["5"]["inputs"] == {"prefix": "y"}
    assert graph.keys() == {"1", "3", "5"}


def test_reroutes_primitives_and_setters_are_followed() -> None:
    nodes = [
        entry(1, "Load", ["a.png", "image", 3], outputs=IMAGE),
        entry(2, "Reroute", inputs=[socket("", 1, "*")], outputs=IMAGE),
        entry(3, "SetNode", ["pic"], inputs=[socket("IMAGE", 2)]),
        entry(4, "GetNode", ["pic"], outputs=IMAGE),
        entry(5, "PrimitiveNode", [9, "fixed"], outputs=[{"name": "INT", "type": "INT"}]),
        entry(6, "Blur", [5], inputs=[socket("image", 3), socket("radius", 4, "INT", widget=True)]),
    ]
    links = [[1, 1, 0, 2, 0, "*"], [2, 2, 0, 3, 0, "*"], [3, 4, 0, 6, 0, "IMAGE"],
             [4, 5, 0, 6, 1, "INT"]]  # fmt: skip

    assert converted(nodes, links) == {
        "1": {"class_type": "Load", "inputs": {"image": "a.png", "rank": 3},
              "_meta": {"title": "Load"}},
        "6": {"class_type": "Blur", "inputs": {"radius": 9, "image": ["1", 0]},
              "_meta": {"title": "Blur"}},
    }  # fmt: skip


def inside(links: list[Any], *nodes: Any) -> dict[str, Any]:
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
    return {
        "id": "sub-1",
        "inputs": [
            {"name": "image", "type": "IMAGE"},
            {"name": "strength", "type": "INT"},
        ],
        "nodes": list(nodes),
        "links": [dict(zip(keys, link, strict=True)) for link in links],
    }


BLURRED = inside(
    [[1, -10, 0, 5, 0], [2, -10, 1, 5, 1], [3, 5, 0, -20, 0]],
    entry(5, "Blur", [7], inputs=[socket("image", 1), socket("radius", 2, "INT", widget=True)],
          outputs=IMAGE),
)  # fmt: skip


@pytest.mark.parametrize(
    ("holder", "radius"),
    [
        ({"widgets_values": [4]}, 4),
        ({"widgets_values": []}, 7),
        ({"widgets_values": [None, 4], "properties": {"proxyWidgets": [["5", "radius"],
                                                                      ["-1", "strength"]]}}, 4),
        ({"widgets_values": [1, 2, 3], "widgets_values_named": {"strength": 4}}, 4),
    ],
)  # fmt: skip
def test_a_subgraph_is_opened_with_what_is_typed_outside(
    holder: dict[str, Any], radius: int
) -> None:
    nodes = [
        entry(1, "Load", ["a.png", "image", 3], outputs=IMAGE),
        # the editor leaves out inputs that nobody wires, so places do not count
        entry(2, "sub-1", inputs=[socket("image", 1)], outputs=IMAGE, **holder),
        entry(3, "Save", ["x"], inputs=[socket("images", 2)]),
    ]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]]

    graph = converted(nodes, links, definitions={"subgraphs": [BLURRED]})

    assert graph["2:5"]["inputs"] == {"image": ["1", 0], "radius": radius}
    assert graph["3"]["inputs"]["images"] == ["2:5", 0]


@pytest.mark.parametrize(("mode", "source"), [(4, ["1", 0]), (2, None)])
def test_a_subgraph_is_bypassed_or_muted_as_a_whole(mode: int, source: object) -> None:
    nodes = [
        entry(1, "Load", ["a.png", "image", 3], outputs=IMAGE),
        entry(2, "sub-1", mode=mode, inputs=[socket("image", 1)], outputs=IMAGE),
        entry(3, "Save", ["x"], inputs=[socket("images", 2)]),
    ]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]]

    graph = converted(nodes, links, definitions={"subgraphs": [BLURRED]})

    assert graph["3"]["inputs"].get("images") == source
    assert "2:5" not in graph


def test_inputs_that_grow_and_tables_of_values_are_kept_by_name() -> None:
    wired = socket("values.a", 1, "INT")
    graph = converted(
        [
            entry(1, "Noise", {"noise_seed": 3, "more": "x", "preview": {}}),
            entry(2, "Many", ["a*2"], inputs=[wired]),
        ],
        [[1, 1, 0, 2, 0, "INT"]],
    )

    assert graph["1"]["inputs"] == {"noise_seed": 3, "more": "x"}
    assert graph["2"]["inputs"] == {"expression": "a*2", "values.a": ["1", 0]}


def test_a_class_that_is_not_installed_is_named_where_the_clip_needs_its_widgets() -> None:
    picture = entry(1, "Load", ["a.png", "image", 3], outputs=IMAGE)
    unknown = entry(2, "SomebodysBlur", [1, 2], inputs=[socket("image", 1)], outputs=IMAGE)
    saver = entry(3, "SomebodysSaver", ["x"], inputs=[socket("images", 2)])
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]]

    with pytest.raises(EditorClassesUnknown) as caught:
        converted([picture, unknown, saver], links)

    assert caught.value.classes == "SomebodysBlur"
    unknown["inputs"] += [socket("soft", None, "INT", widget=True),
                          socket("hard", None, "INT", widget=True)]  # fmt: skip
    graph = converted([picture, unknown, saver], links)
    assert graph["2"]["inputs"] == {"soft": 1, "hard": 2, "image": ["1", 0]}


@pytest.mark.parametrize(
    "content",
    [
        {"nodes": [5]},
        {"nodes": [{"id": 1}]},
        {"nodes": [entry(1, "Load", ["a"])], "links": [[1]]},
        {"nodes": [entry(1, "a")], "definitions": {"subgraphs": [
            {"id": "a", "nodes": [entry(1, "a")], "links": []}]}},
    ],
)  # fmt: skip
def test_what_only_looks_like_an_editors_file_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(NotAWorkflow):
        convert(json.dumps(content), "mine.json", CLASSES)


def test_links_in_a_circle_end() -> None:
    nodes = [
        entry(1, "Reroute", inputs=[socket("", 2, "*")], outputs=IMAGE),
        entry(2, "Reroute", inputs=[socket("", 1, "*")], outputs=IMAGE),
        entry(3, "Save", ["x"], inputs=[socket("images", 3)]),
    ]
    links = [[1, 1, 0, 2, 0, "*"], [2, 2, 0, 1, 0, "*"], [3, 2, 0, 3, 0, "IMAGE"]]

    assert converted(nodes, links)["3"]["inputs"] == {"prefix": "x"}


@pytest.mark.parametrize(
    ("setter", "getter"), [("SetNode", "GetNode"), ("easy setNode", "easy getNode")]
)
def test_a_setter_hands_on_what_it_takes(setter: str, getter: str) -> None:
    nodes = [
        entry(1, "Load", ["a.png", 3]),
        entry(2, setter, ["pic"], inputs=[socket("IMAGE", 1)], outputs=IMAGE),
        entry(3, "Save", ["x"], inputs=[socket("images", 2)]),
        entry(4, getter, ["pic"], outputs=IMAGE),
        entry(5, "Save", ["y"], inputs=[socket("images", 3)]),
        entry(6, "Fast Groups Muter (rgthree)"),
    ]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"], [3, 4, 0, 5, 0, "IMAGE"]]

    graph = converted(nodes, links)

    assert graph.keys() == {"1", "3", "5"}
    assert graph["3"]["inputs"]["images"] == graph["5"]["inputs"]["images"] == ["1", 0]


def test_what_is_given_to_everybody_arrives_where_the_file_says() -> None:
    nodes = [
        entry(1, "Load", ["a.png", 3]),
        entry(2, "Reroute", inputs=[socket("", 1)], outputs=IMAGE),
        entry(3, "Anything Everywhere", inputs=[socket("anything", 2)]),
        entry(4, "Blur", [5], inputs=[socket("image", None)], outputs=IMAGE, mode=4),
        entry(5, "Save", ["x"], inputs=[socket("images", 4)]),
        entry(6, "Save", ["y"], inputs=[socket("images", None)]),
    ]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"], [4, 4, 0, 5, 0, "IMAGE"]]
    spread = [
        {"upstream": "2", "upstream_slot": 0, "downstream": key, "downstream_slot": 0}
        for key in (4, 6)
    ]

    graph = converted(nodes, links, extra={"ue_links": spread})

    assert graph.keys() == {"1", "5", "6"}
    assert graph["5"]["inputs"]["images"] == graph["6"]["inputs"]["images"] == ["1", 0]


ROWS = [
    {},
    {"type": "PowerLoraLoaderHeaderWidget"},
    {"on": True, "lora": "a.safetensors", "strength": 0.5},
    {"on": False, "lora": "b.safetensors", "strength": 1},
    {},
    "",
]


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("count", [2, 0])
def test_the_rows_of_a_table_of_loras_are_kept(installed: bool, count: int) -> None:
    rows = [row for row in ROWS if count or "lora" not in row]
    table = "Power Lora Loader (rgthree)"
    nodes = [
        entry(1, table, rows, outputs=[{"name": "MODEL", "type": "MODEL"}]),
        entry(2, "Save", ["x"], inputs=[socket("images", 1)]),
    ]
    own = {table: {"input": {"required": {}, "optional": {}}, "output_node": False}}
    text = json.dumps({"nodes": nodes, "links": [[1, 1, 0, 2, 0, "IMAGE"]]})

    graph = convert(text, "mine.json", CLASSES | (own if installed else {})).to_prompt()

    assert graph["1"]["inputs"] == {f"lora_{n}": ROWS[n + 1] for n in (1, 2)[:count]}


def test_classes_of_known_packs_are_read_before_their_packs_are_there() -> None:
    nodes = [
        entry(1, "Load", ["a.png", 3]),
        entry(2, "INTConstant", [512], outputs=[{"name": "value", "type": "INT"}]),
        entry(3, "ImageResizeKJv2", [64, 96, "area", "crop", "0, 0, 0", "center", 32, "cpu"],
              inputs=[socket("image", 1), socket("width", 2, "INT", widget=True)], outputs=IMAGE),
        entry(4, "Save", ["x"], inputs=[socket("images", 3)]),
    ]  # fmt: skip
    links = [[1, 1, 0, 3, 0, "IMAGE"], [2, 2, 0, 3, 1, "INT"], [3, 3, 0, 4, 0, "IMAGE"]]
    text = json.dumps({"nodes": nodes, "links": links})

    graph = convert(text, "mine.json", with_known_packs(CLASSES)).to_prompt()

    assert graph["2"]["inputs"] == {"value": 512}
    resized = graph["3"]["inputs"]
    assert (resized["width"], resized["height"], resized["divisible_by"]) == (["2", 0], 96, 32)
    with pytest.raises(EditorClassesUnknown):
        convert(text, "mine.json", CLASSES)
