import numpy as np
import pytest

from golden import InputError
from sim.accuracy import text
from sim.accuracy.run import TEXTS


def test_the_text_is_the_one_that_was_measured(tokenizer):
    words = text.load(tokenizer, 4096)
    assert words.sequences.shape == (16, 257)
    assert words.tokens == 4096
    assert words.sha256 == "d783c7f5719c50b6923a5108f4f31074448aad122ad726ffd2d336dbb88d2854"


def test_tokens_are_rounded_up_to_sequences(tokenizer):
    assert text.load(tokenizer, 257).tokens == 512


def test_a_longer_text_begins_with_the_shorter_one(tokenizer):
    short, long = (text.load(tokenizer, n).sequences.ravel() for n in (256, 1024))
    assert np.array_equal(short, long[: len(short)])


def test_every_article_is_used_once():
    articles = text.articles()
    assert len(articles) == 10033
    assert np.gcd(len(articles), text.STRIDE) == 1


def test_the_calibration_text_is_not_scored(tokenizer):
    articles = text.articles()
    assert text.calibration_articles() == articles[-text.RESERVED :]
    assert len(set(articles)) == len(articles)
    words = text.load_calibration(tokenizer)
    assert words.tokens >= 2048
    content = tokenizer.decode(words.sequences[0].tolist())
    assert content.startswith(articles[-text.RESERVED][:40])
    assert len(articles) - text.RESERVED > TEXTS


def test_another_text_is_refused(monkeypatch):
    monkeypatch.setattr(text, "SHA256", "0" * 64)
    with pytest.raises(
        InputError, match=r"^Text .* must have SHA-256 0{64}, not 05ed[0-9a-f]{60}$"
    ):
        text.articles()


def test_too_many_tokens_are_refused(tokenizer, monkeypatch):
    monkeypatch.setattr(text, "articles", lambda: ["A short text."])
    with pytest.raises(InputError, match=r"^Tokens must be at most \d in this text, not 4096$"):
        text.load(tokenizer, 4096)
