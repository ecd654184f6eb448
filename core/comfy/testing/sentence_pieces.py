"""Train a tokenizer for text encoders of random weights, and read what they write."""

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


def words_of(tokens: list[int]) -> str:
    """Return a sentence with a word for each of ``tokens``; none is said again before all were."""
    words, said = _WORDS.split(), list[str]()
    for token in tokens:
        left = [word for word in words if word not in said[-(len(said) % len(words)) :]] or words
        said.append(left[token % len(left)])
    return " ".join(said).capitalize() + "."
