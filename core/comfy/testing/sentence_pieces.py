"""Train a tokenizer for text encoders of random weights."""

import importlib
import io

_WORDS = "a quiet harbour at dawn fishing boats rest while gulls circle over the slow grey water "


def sentence_pieces() -> bytes:
    """Train a tokenizer of 400 pieces that knows every byte, so no text is lost."""
    trainer = importlib.import_module("sentencepiece").SentencePieceTrainer
    model = io.BytesIO()
    text = [_WORDS[start:] + _WORDS[:start] for start in range(0, len(_WORDS), 3)]
    trainer.train(
        sentence_iterator=iter(text), model_writer=model, vocab_size=300, model_type="bpe",
        byte_fallback=True, pad_id=0, eos_id=1, bos_id=2, unk_id=3, minloglevel=2,
        hard_vocab_limit=False,
    )  # fmt: skip
    return model.getvalue()
