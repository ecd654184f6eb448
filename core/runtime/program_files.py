"""Where the program's own files lie, and where those of the person who runs it belong.

In a checkout both lie beside the packages. Of an installed wheel the first lie inside the package
core, which nobody but the installer writes to, and the others in the folders of the user.
"""

from importlib.resources import files
from pathlib import Path

from platformdirs import user_config_path, user_data_path

_NAME = "clapper"
_CORE = Path(str(files("core")))
_IN_THE_WHEEL = _CORE / "resources"  # pyproject.toml puts them there

PACKAGES = _CORE.parent  # the folder of core, bots and webui
IS_INSTALLED = _IN_THE_WHEEL.is_dir()
PROJECT_ROOT = _IN_THE_WHEEL if IS_INSTALLED else PACKAGES  # migrations, workflows, pins

DATA_FOLDER = user_data_path(_NAME, appauthor=False) if IS_INSTALLED else PROJECT_ROOT / "data"
CUSTOM_WORKFLOWS = (DATA_FOLDER if IS_INSTALLED else PROJECT_ROOT) / "workflows" / "custom"
SETTINGS_FOLDER = user_config_path(_NAME, appauthor=False) if IS_INSTALLED else PROJECT_ROOT
