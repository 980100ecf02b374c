"""One copy of the models for all tests; nothing here is skipped when a package is missing."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
import torch

from sim.accuracy import extra, text, weights
from sim.accuracy.decoder_run import DecoderRun

extra.check()


@pytest.fixture(scope="session")
def tokenizer():
    return weights.load_tokenizer()


@pytest.fixture(scope="session")
def run(tokenizer, tmp_path_factory):
    words, other = text.load(tokenizer, 256), text.load_calibration(tokenizer)
    return DecoderRun(words, other, tmp_path_factory.mktemp("cache"), lambda: None)


@pytest.fixture(autouse=True)
def _inference():
    with torch.inference_mode():
        yield
