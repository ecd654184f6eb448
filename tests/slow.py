"""Modules that take long: `make test` runs the first test of each, `make test-slow` the rest.

Of a long table, one device or format a row, `make test` runs the first row of each of its tests.
Of the browser's modules it runs one test only, every mode from form to film; of those of a Space
and of a lent GPU the first clips from a lease; of packages, a clip by the installed wheel.
`make test-space` runs the others of a Space.
"""

from pathlib import Path

ROOT = Path(__file__).parent
# by the seconds that they take on one of two quiet cores
SLOW = frozenset(
    {
        "browser/test_access.py",
        "browser/test_drafts.py",
        "browser/test_focus.py",
        "browser/test_foreign.py",
        "browser/test_inputs.py",
        "browser/test_kept_forms.py",
        "browser/test_keyboard.py",
        "browser/test_languages.py",
        "browser/test_operators.py",
        "browser/test_presses.py",
        "browser/test_programs.py",
        "browser/test_reader.py",
        "browser/test_reuse.py",
        "browser/test_sent_files.py",
        "browser/test_sign_in.py",
        "browser/test_stage.py",
        "browser/test_studio.py",
        "browser/test_timeline.py",
        "browser/test_touch.py",
        "browser/test_words.py",
        "cluster/test_torture.py",
        "integration/cli/test_broken_surroundings.py",
        "integration/cli/test_setup_terminal.py",
        "integration/discord/test_faults.py",
        "integration/discord/test_kill.py",
        "integration/gate/test_clips.py",
        "integration/gate/test_processes.py",
        "integration/media/test_films.py",
        "integration/media/test_mutated.py",
        "integration/media/test_refused_streams.py",
        "integration/media/test_sounds.py",
        "integration/media/test_stored_size.py",
        "integration/nodes/test_file_places.py",
        "integration/nodes/test_processes.py",
        "integration/packaging/test_update.py",
        "integration/packaging/test_wheel.py",
        "integration/service/test_ending.py",
        "integration/storage/test_one_database.py",
        "integration/storage/test_processes.py",
        "integration/studio/test_addresses.py",
        "integration/studio/test_agents.py",
        "integration/studio/test_body_limits.py",
        "integration/studio/test_clip_sources.py",
        "integration/studio/test_drafts.py",
        "integration/studio/test_guessing.py",
        "integration/studio/test_loans.py",
        "integration/studio/test_gallery.py",
        "integration/studio/test_operators.py",
        "integration/studio/test_options.py",
        "integration/studio/test_programs.py",
        "integration/studio/test_serve.py",
        "integration/studio/test_sign_in.py",
        "integration/studio/test_space.py",
        "integration/studio/test_uploads.py",
        "integration/studio/test_visitors.py",
        "integration/studio/test_webhooks.py",
        "integration/studio/test_zerogpu.py",
        "integration/telegram/test_faults.py",
        "integration/telegram/test_kill.py",
        "integration/telegram/test_ways_in.py",
        "space/test_clips.py",
        "space/test_frame.py",
        "space/test_lives.py",
        "space/test_requirements.py",
        "space/test_settings.py",
        "space/test_setup.py",
        "space/test_visitors.py",
        "torture/test_faults.py",
        "torture/test_growth.py",
        "torture/test_processes.py",
        "unit/engine/test_many_jobs.py",
        "unit/queue/test_state_machine.py",
        "unit/webui/test_space_gpu.py",
        "unit/worker/test_device_lost.py",
    }
)


# one test speaks for all of them: every mode from form to film, the first clips from a lease, …
SLICES = frozenset(
    path for path in SLOW if not path.startswith(("browser/", "space/", "integration/packaging/"))
) - {
    "integration/studio/test_space.py",
    "integration/studio/test_visitors.py",
    "integration/studio/test_zerogpu.py",
} | {
    "browser/test_studio.py",
    "integration/packaging/test_wheel.py",
    "space/test_clips.py",
}

TABLES = frozenset(
    {
        "integration/cli/test_generate.py",
        "integration/cli/test_outputs.py",
        "integration/cli/test_terminal_text.py",
        "integration/community/test_accounts.py",
        "integration/control/test_steering.py",
        "integration/media/test_devices.py",
        "integration/media/test_finished_clips.py",
        "integration/media/test_pictures.py",
        "integration/media/test_sound_and_films.py",
        "integration/telegram/test_ways_in.py",
        "unit/accounts/test_limits.py",
        "unit/animatic/test_executor.py",
        "unit/queue/test_stepped_clock.py",
        "unit/webui/page/test_options.py",
    }
)


def is_table(path: Path) -> bool:
    """Tell whether the module at ``path`` is a long table."""
    return path.is_relative_to(ROOT) and path.relative_to(ROOT).as_posix() in TABLES


def has_slice(path: Path) -> bool:
    """Tell whether the first test of a slow module is run always."""
    return path.relative_to(ROOT).as_posix() in SLICES


def is_slow(path: Path) -> bool:
    """Tell whether the module at ``path`` is one of them."""
    return path.is_relative_to(ROOT) and path.relative_to(ROOT).as_posix() in SLOW
