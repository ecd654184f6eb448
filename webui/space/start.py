"""The entry of a Space: settle where everything is written, then import and run the program.

Libraries look once, when they are imported, where they may write.
"""

from core.settings import PROJECT_ROOT, use_settings_of
from webui.space.places import place_libraries


def main() -> None:
    """Run the Space until it is stopped."""
    place_libraries()
    use_settings_of(PROJECT_ROOT)
    from webui.space.program import run

    run()
