"""What can be wrong with a graph, as data; the words are in ``workflow.toml``."""

from core.errors import SetupProblem


class EditorFormat(SetupProblem):
    """The file is what ComfyUI's editor saves, not what its API takes."""

    file: str


class EditorClassesUnknown(SetupProblem):
    """An editor file uses ``classes`` that the installed ComfyUI does not have."""

    file: str
    classes: str


class EditorGroupBroken(SetupProblem):
    """An editor file does not say what the group node ``group`` stands for.

    ``reason`` is an identifier with a word.
    """

    file: str
    group: str
    reason: str


class NodeClassesMissing(SetupProblem):
    """The installed ComfyUI does not have ``classes`` of the workflow for ``mode``."""

    mode: str
    classes: str


class NotAWorkflow(SetupProblem):
    """The file is no graph in API format; ``reason`` is an identifier with a word."""

    file: str
    reason: str


class NotObjectInfo(SetupProblem):
    """The file is not what a ComfyUI says of its node classes."""

    file: str


class WorkflowPlaceForeign(SetupProblem):
    """Where an adopted workflow goes lies a file that no adoption wrote."""

    path: str


class WorkflowNotKept(SetupProblem):
    """The folder of adopted workflows cannot be written; ``detail`` is the system's reason."""

    path: str
    detail: str


class NotAdoptable(SetupProblem):
    """The graph cannot do what the mode needs; ``reason`` is an identifier with a word."""

    mode: str
    reason: str
    detail: str = ""


class ModelTooNew(SetupProblem):
    """A graph loads ``file``, of the model ``base``, which came after the ComfyUI in use."""

    file: str
    base: str
    family: str  # that ComfyUI and Clapper run


class ControlsIdle(SetupProblem):
    """A trial showed ``controls`` of ``mode`` that do not do what they must."""

    mode: str
    controls: str


class TemplateBroken(SetupProblem):
    """A workflow and its bindings do not fit together; ``defects`` lists what."""

    mode: str
    defects: str
