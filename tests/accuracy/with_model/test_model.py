"""Both models against the implementations of the ``transformers`` package."""

import pytest
import torch
import transformers

from sim.accuracy import embedding, extra, metrics, text, weights
from sim.accuracy.model import FloatLinears

#: Tokens of the sequence that are compared.
TOKENS = 64


@pytest.fixture(scope="module")
def theirs():
    path = weights.path()
    return transformers.AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32
    )


@pytest.mark.filterwarnings("default")  # theirs
def test_logits_are_those_of_transformers(run, theirs):
    tokens = torch.from_numpy(run.text.sequences[0, :TOKENS])
    ours = run.decoder.logits(tokens, run.float)
    torch.testing.assert_close(ours, theirs(tokens[None]).logits[0], rtol=0, atol=1e-3)


@pytest.mark.filterwarnings("default")  # theirs
def test_tokens_are_those_of_transformers(tokenizer):
    path = weights.path()
    other = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    content = "\n\n".join(text.articles()[:40]) + "\t 3.14  don't \n  naïve 漢字 🙂"
    assert tokenizer.encode(content).ids == other(content)["input_ids"]
    assert tokenizer.decode(tokenizer.encode(content).ids) == content


def test_greedy_text_is_sensible(run, tokenizer):
    ids = tokenizer.encode("The capital of France is").ids
    for _ in range(2):
        ids.append(int(run.decoder.logits(torch.tensor(ids), run.float)[-1].argmax()))
    assert tokenizer.decode(ids) == "The capital of France is Paris."


def test_perplexity_is_sensible(run):
    (likelihood,) = run.baseline()["log_likelihood"]
    assert 5 < torch.tensor(-likelihood).exp() < 40


def test_a_wrong_rotation_is_noticed(run, monkeypatch, theirs):
    monkeypatch.setattr(type(run.decoder), "_rotate", lambda self, x: x)
    tokens = torch.from_numpy(run.text.sequences[0, :TOKENS])
    ours = run.decoder.logits(tokens, run.float)
    assert (ours - theirs(tokens[None]).logits[0]).abs().max() > 0.1


@pytest.mark.filterwarnings("default")  # theirs
def test_embeddings_are_those_of_transformers():
    encoder = embedding.Encoder()
    folder = extra.folder(embedding.PACKAGE) / embedding.FOLDER
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    other = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32)
    for content in ("A short one.", *text.articles()[:2]):
        tokens = tokenizer(content, truncation=True, max_length=256, return_tensors="pt")
        mean = other(**tokens).last_hidden_state[0].mean(0)
        ours = encoder.embed(content, FloatLinears(encoder.weights))
        cosine = torch.nn.functional.cosine_similarity(ours, mean, dim=0)
        assert 1 - cosine < 1e-5
        assert ours.square().sum() == pytest.approx(1, abs=1e-5)


def test_divergence_by_hand():
    p, q = torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([[0.25, 0.25, 0.5]])
    # 0.5 ln 2 + 0 - 0.25 ln 2
    assert metrics.divergence(p.log(), q.log()) == pytest.approx(0.25 * torch.tensor(2.0).log())
    assert metrics.divergence(p.log(), p.log()) == 0
    assert metrics.log_likelihood(p.log(), torch.tensor([0])) == pytest.approx(-0.693147, abs=1e-5)
    assert metrics.agreement(p.log(), q.log()) == 0
