import pytest

from sim.accuracy.configuration import Encoding, Mode
from sim.accuracy.study import run as study
from sim.accuracy.study.variants import ACTIVATIONS, WEIGHTS


@pytest.mark.parametrize(
    ("variant", "mode"), [(ACTIVATIONS, Mode.ACTIVATIONS), (WEIGHTS, Mode.WEIGHTS)]
)
def test_the_reference_variants_are_the_format(run, variant, mode):
    expected = run.score(Encoding("m2xfp_sg"), mode)
    assert study.score(run, variant)["kl"] == expected["kl"]
