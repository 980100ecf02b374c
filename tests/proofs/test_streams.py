"""Every block with a stream is proved; or made of blocks that are, named here."""

import ast
import re
from pathlib import Path

from sim.verify.proofs.registry import PROOFS

HDL = Path(__file__).parents[2] / "hdl"

#: Blocks without state of their own between their streams and those of the blocks inside.
COMPOSED = {
    "QuantizationEngine": {"Collector", "Pipeline"},
    "SystolicTile": {"TileFront", "WeightStore", "InitialSums", "ResultSlots"},
    "GemmCore": {
        "Control",
        "Frame",
        "ActivationBuffer",
        "WeightFeeder",
        "InitialFeeder",
        "ResultStage",
    },
}


def _with_streams() -> set[str]:
    """Return the classes in whose source a stream's signature is made."""
    names = set()
    for file in HDL.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            text = ast.unparse(node) if isinstance(node, ast.ClassDef) else ""
            if re.search(r"stream\.Signature\(|\baxis\(", text):
                names.add(node.name)
    return names


def test_every_block_with_a_stream_is_proved():
    proved = {
        word
        for proof in PROOFS.values()
        if proof.method.startswith("Induction")
        for word in re.findall(r"(?:^|, )(\w+)", proof.block)
    }
    found = _with_streams()
    assert found - proved == COMPOSED.keys() - proved
    assert set().union(*COMPOSED.values()) <= proved & found
