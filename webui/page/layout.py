# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The page: a sidebar with the modes, their forms, and the clip, queue and history."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from core.domain.modes import MODES, Mode
from core.i18n.messages import language_of, say, sentences
from core.i18n.option_words import mode_title
from webui.page.components import file_words
from webui.page.form import FormRules, ModeForm, build_form
from webui.page.gallery_panel import build_gallery, build_lineage, build_reused
from webui.page.program_samples import build_samples
from webui.page.reload import ReloadPanel, build_reload
from webui.page.style_choice import build_style_names
from webui.serving.lazy_scripts import lazy_address

MODE_NAMES: tuple[str, ...] = tuple(mode.value for mode in MODES)
_STAGE = (
    "<section class='cl-stage' aria-label='{title}'><div data-part='lost'></div>"
    "<div data-part='empty' class='cl-empty'>"
    "<span class='cl-clap' aria-hidden='true'></span><p>{empty}</p></div>"
    "<div data-part='missing'></div>"
    "<div data-part='job' hidden><div data-part='head' class='cl-head' aria-live='polite'></div>"
    "<figure data-part='player' class='cl-player'></figure>"
    "<div data-part='progress' class='cl-progress'></div><div data-part='drafts'></div>"
    "<div data-part='error'></div>"
    "<div data-part='facts'></div><div data-part='buttons' class='cl-buttons'></div>"
    "<div data-part='feed'></div></div>"
    "</section>"
)
_QUEUE = "<h2>{title}</h2><p class='cl-meta'></p><ul></ul>"
_SIDE = (
    "<dl><div><dt>{model}</dt><dd></dd></div><div><dt>{queue}</dt><dd></dd></div>"
    "<div><dt>{quota}</dt><dd></dd><dd><meter min='0' max='1' value='0' aria-label='{quota}'>"
    "</meter></dd></div></dl><small>{note}</small>"
)
_TELLS = "<div></div><button type='button' class='cl-link'>{keys} <kbd>?</kbd></button>"
_ACCOUNT = "<div data-part='problem'></div><p><span></span> <a hidden></a></p>"
# words that the page's own script places
_PLACED = (
    "studio_lost",
    "studio_out",
    "studio_login_go",
    "studio_login",
    "studio_not_sent",
    "studio_not_sent_text",
    "studio_upload_cut",
    "studio_upload_gone",
    "internal_error",
    "studio_error_refused",
    "studio_now",
    "studio_ready_in",
    "studio_download",
    "studio_undo",
    "studio_end_now",
    "studio_busy",
    "studio_ready",
    "studio_tell",
    "studio_tell_sound",
    "studio_keys",
    "studio_keys_help",
    "studio_keys_play",
    "studio_keys_prompt",
    "studio_keys_generate",
    "studio_modes_keys",
    "studio_keys_single",
    "studio_keys_close",
    "studio_elapsed",
    "studio_preview",
    "studio_loop",
    "studio_speed",
    "studio_compare",
    "studio_drafts",
    "studio_words",
    "studio_words_mine",
    "studio_words_edit",
    "studio_frame_back",
    "studio_frame_forward",
    "studio_queue_empty",
    "studio_history_empty",
    "studio_open",
    "studio_unkept",
    "studio_unkept_cookies",
    "studio_unkept_frame",
    "studio_unkept_tab",
    "cancel_label",
)


@dataclass(frozen=True, slots=True)
class Page:
    """The components that events are bound to."""

    side: gr.Sidebar
    tabs: gr.Tabs
    modes: dict[Mode, gr.Button]
    forms: dict[Mode, ModeForm]
    stage: gr.HTML
    reload: ReloadPanel
    reused: gr.HTML  # above the forms
    style_names: gr.HTML  # what brings them into the forms

    @property
    def navigation(self) -> list[Any]:
        """Return what showing a mode changes."""
        return [self.tabs, self.side]


def page_words() -> dict[str, str]:
    """Return the words that the page's own script places."""
    words = sentences(language_of(None))
    return {code: words[code] for code in _PLACED} | file_words()


def build_page(rules: FormRules, *, accounts: bool = False, notice: str = "") -> Page:
    """Lay out everything inside the current Blocks.

    Args:
        rules: of the forms.
        accounts: one can sign in or out.
        notice: plain text that stands above everything; empty for none.
    """
    words = page_words()
    title = _title()
    gr.HTML(f"<p><b>{title[0]}</b> {title[2]}</p>", elem_id="bar")  # where the sidebar is a drawer
    if notice:
        gr.HTML(f'<p role="note">{escape(notice)}</p>', elem_id="notice", elem_classes=["cl-card"])
    with gr.Sidebar(label=say("studio_modes"), open=False, width=264) as side:
        modes = _sidebar(words, accounts=accounts)
    with gr.Row(elem_id="columns"):
        with gr.Column(scale=5, min_width=380):
            _added_files()
            reused = build_reused()
            with gr.Tabs(selected=MODE_NAMES[0], elem_id="modes") as tabs:
                forms: dict[Mode, ModeForm] = {}
                for mode in MODES:
                    with gr.Tab(mode_title(mode), id=mode.value, render_children=True):
                        forms[mode] = build_form(mode, rules, words)
            reload = build_reload()
            build_samples()
            style_names = build_style_names()
        with gr.Column(scale=6, min_width=380):
            stage = _stage(words)
            build_lineage()
            _view("queue", _QUEUE.format(title=say("studio_queue")), words, "cl-queue")
            build_gallery(words)
            if accounts:  # guests are never operators
                gr.HTML(
                    html_template="<section hidden></section>",
                    js_on_load="Clapper.operators(element, props)",
                    elem_id="operators",
                    elem_classes=["cl-card", "cl-section", "cl-operators"],
                    apply_default_css=False,
                    script=lazy_address("operators"),
                )
    return Page(side, tabs, modes, forms, stage, reload, reused, style_names)


def _title() -> tuple[str, str, str]:
    return say("studio_title").partition(" ")


def _sidebar(words: dict[str, str], *, accounts: bool) -> dict[Mode, gr.Button]:
    title = _title()
    tagline = say("studio_tagline")
    gr.HTML(f"<p><b>{title[0]}</b> {title[2]}</p><small>{tagline}</small>", elem_id="brand")
    buttons = {
        mode: gr.Button(mode_title(mode), elem_id=f"mode-{mode}", elem_classes=["cl-mode"])
        for mode in MODES
    }
    if accounts:
        gr.HTML(
            html_template=_ACCOUNT,
            js_on_load="Clapper.account(element)",
            elem_id="account",
            apply_default_css=False,
        )
    labels = {
        "model": say("studio_pre_files"),
        "queue": say("studio_queue"),
        "quota": say("studio_pre_cost"),
        "note": say("studio_ai_note"),
    }
    gr.HTML(
        html_template=_TELLS.format(keys=say("studio_keys")),
        js_on_load="Clapper.tells(element, props); Clapper.shortcuts(element, props)",
        elem_id="tells",
        apply_default_css=False,
        words=words,
    )
    gr.HTML(
        html_template=_SIDE.format(**labels),
        js_on_load="Clapper.side(element, props); Clapper.tidy()",
        elem_id="side",
        apply_default_css=False,
        words=words,
    )
    return buttons


def _added_files() -> None:
    """Lay out where files are added that have no field yet, by hand or from anywhere."""
    gr.HTML(
        html_template="<div></div>",
        js_on_load="Clapper.addFiles(element)",
        elem_id="add-files",
        apply_default_css=False,
    )


def _stage(words: dict[str, str]) -> gr.HTML:
    template = _STAGE.format(title=say("studio_now"), empty=say("studio_empty"))
    return gr.HTML(
        value=None,
        html_template=template,
        js_on_load="Clapper.stage(element, props, trigger, watch, ['use_frame'])",
        elem_id="stage",
        elem_classes=["cl-card"],
        apply_default_css=False,
        words=words,
    )


def _view(what: str, template: str, words: dict[str, str], style: str) -> gr.HTML:
    return gr.HTML(
        html_template=template,
        js_on_load=f"Clapper.{what}(element, props)",
        elem_id=what,
        elem_classes=["cl-card", "cl-section", style],
        apply_default_css=False,
        words=words,
    )


def show_mode(mode: str, carried: Sequence[str]) -> str:
    """Return the browser's part of showing ``mode``: no round trip, so it survives a restart.

    Args:
        mode: that was chosen.
        carried: the fields into which what stands in the form before goes along.
    """
    return f'() => Clapper.go("{mode}", {json.dumps(list(carried))})'
