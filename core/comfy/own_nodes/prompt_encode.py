"""Encode the prompt that a language model lengthened, or the one that was typed."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, ClassVar

from core.domain.word_rules import adds_forbidden
from core.workflow.enhanced_prompt import enhanced
from core.workflow.prompt_phrases import literal

PROMPT_CLASS = "ClapperPromptEncode"
_KEPT = 256  # prompts; a few hundred kB
_TEXT = ("STRING", {"default": ""})
_INPUTS = {
    "clip": ("CLIP",),
    "generated": ("STRING", {"lazy": True}),  # not made where it is not asked for
    "typed": _TEXT,
    "plain": _TEXT,
    "added": _TEXT,
    "key": _TEXT,
    "rules": _TEXT,  # changes with them, so that nothing of before is taken
}


class EnhancedPrompts:
    """What became of prompts in this process, by the hash of all that decided it.

    They are words of people, so they are kept in memory alone. An answer without use is the prompt
    as it was typed.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._found: OrderedDict[str, str] = OrderedDict()
        self.forbidden: tuple[str, ...] = ()  # words that the prompt of the next run may not get

    def get(self, key: str) -> str | None:
        """Return the prompt under ``key``; None where none was made yet."""
        return self._found.get(key)

    def used(self, key: str, typed: str) -> str | None:
        """Return the prompt that is rendered under ``key``; None where none was made yet.

        It is ``typed`` where what was made has a word that is forbidden now.
        """
        found = self._found.get(key)
        if found is None or not adds_forbidden(found, typed, self.forbidden):
            return found
        return typed

    def put(self, key: str, text: str) -> None:
        """Keep ``text`` under ``key``; the oldest go."""
        self._found[key] = text
        while len(self._found) > _KEPT:
            self._found.popitem(last=False)


def leave_out_unknown_tokens(spiece: ModuleType) -> None:
    """Let a tokenizer leave out tokens that stand for no text, where its library would raise.

    A language model has a few more tokens than its vocabulary of pieces, marks of pictures for one.

    Args:
        spiece: ComfyUI's module ``comfy.text_encoders.spiece_tokenizer``.
    """
    decode: Callable[..., str] = spiece.SPieceTokenizer.decode

    def decode_known(self: Any, token_ids: Sequence[int], **options: Any) -> str:
        pieces = self.tokenizer.get_piece_size()
        return decode(self, [int(one) for one in token_ids if int(one) < pieces], **options)

    spiece.SPieceTokenizer.decode = decode_known


def prompt_node(prompts: EnhancedPrompts) -> type:
    """Make the node class that encodes an enhanced prompt.

    Args:
        prompts: asked first, so that the model writes no prompt twice.
    """

    class ClapperPromptEncode:
        """Encodes what a model wrote, if it is of use."""

        CATEGORY = "clapper"
        RETURN_TYPES: ClassVar[tuple[str, ...]] = ("CONDITIONING",)
        FUNCTION = "encode"

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802  # ComfyUI asks for this name
            return {"required": _INPUTS}

        def check_lazy_status(self, key: str, **_: Any) -> list[str]:
            """Ask for the model's text, unless it is known."""
            return [] if prompts.get(key) is not None else ["generated"]

        def encode(
            self, clip: Any, typed: str, plain: str, added: str, key: str, generated: Any = None,
            **_: str,
        ) -> tuple[Any]:  # fmt: skip
            """Return the conditioning of the enhanced prompt and ``added``, or of ``plain``."""
            if prompts.get(key) is None:
                prompts.put(key, enhanced(str(generated or ""), typed) or typed)
            found = prompts.used(key, typed) or typed
            text = plain if found == typed else f"{literal(found)} {added}".strip()
            return (clip.encode_from_tokens_scheduled(clip.tokenize(text)),)

    return ClapperPromptEncode
