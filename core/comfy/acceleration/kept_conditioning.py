"""Keep what the transformer's own layers make of a text, for the stages and clips that follow.

ComfyUI computes it anew in each stage, for a negative prompt too that is not used at all.
"""

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.comfy.acceleration.switch import Acceleration

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT = 4  # texts of a model: both prompts of two clips


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of one text, and by which weights."""

    text: weakref.ref[Any]
    how: tuple[object, ...]
    result: Any


class KeptConditioning:
    """Stands before two functions of ComfyUI; on the executor's thread alone."""

    def __init__(self, switch: Acceleration) -> None:
        self._switch = switch
        self._models: weakref.WeakKeyDictionary[Any, list[_Made]] = weakref.WeakKeyDictionary()
        self._asked: tuple[Any, object] | None = None  # the text as it was given, and the weights

    def install(self, base_class: Any, model_class: Any) -> None:
        """Replace ``LTXAV.extra_conds`` and ``LTXAVModel.preprocess_text_embeds``."""
        conditions: Callable[..., Any] = base_class.extra_conds
        embed: Callable[..., Any] = model_class.preprocess_text_embeds

        def extra_conds(base: Any, **given: Any) -> Any:
            text = given.get("cross_attn")
            patches = getattr(base, "current_weight_patches_uuid", None)
            self._asked = None if text is None or not self._switch.enabled else (text, patches)
            try:
                return conditions(base, **given)
            finally:
                self._asked = None

        def preprocess(model: Any, context: Any, *given: Any, **options: Any) -> Any:
            if self._asked is None:
                return embed(model, context, *given, **options)
            text, patches = self._asked
            how = (patches, context.dtype, context.device, given, str(options))
            kept = self._models.setdefault(model, [])
            for made in kept:
                if made.text() is text and made.how == how:
                    return made.result
            made = _Made(weakref.ref(text), how, embed(model, context, *given, **options))
            alive = [one for one in kept if one.text() is not None]
            kept[:] = [*alive, made][-_KEPT:]
            return made.result

        base_class.extra_conds, model_class.preprocess_text_embeds = extra_conds, preprocess

    def forget(self, model: Any = None) -> None:
        """Throw away what was made by the weights of ``model``, or of all."""
        if model is None:
            self._models.clear()
        else:
            self._models.pop(model, None)
