"""The examples of docs/golden.md print what the page says."""

import re
from pathlib import Path

from golden import formats

from .commands import m2xfp

PAGE = (Path(__file__).parents[2] / "docs" / "golden.md").read_text()


def test_python_example(capsys):
    code, printed = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.S).groups()
    exec(compile(code, "docs/golden.md", "exec"), {})
    assert capsys.readouterr().out == printed


def test_table_of_formats():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|.*\| ([\d.]+) \| (\d+) \|$", PAGE, re.M)
    assert [row[0] for row in rows] == list(formats.names())
    for name, group, bits, word in rows:
        spec = formats.get(name)
        assert (spec.group, spec.bits_per_element) == (int(group), float(bits))
        assert spec.word_bits == int(word)


def test_every_option_shown_exists():
    commands = re.findall(r"^\$ m2xfp (\w+) (.*)$", PAGE, re.M)
    assert {name for name, _ in commands} == {"quantize", "inspect", "dequantize", "vectors"}
    for name, arguments in commands:
        shown = set(re.findall(r"--[a-z-]+", arguments))
        assert shown <= set(re.findall(r"--[a-z-]+", m2xfp(name, "--help")[1]))


def test_layout_drawn():
    drawn = re.findall(r"^ {10}(\d+) +(\d+) .*\n.*\n (\w+)", PAGE, re.M)
    alike = {"m2xfp_sg", "m2xfp_sg_spare"}  # said to be drawn as m2xfp
    assert [name for *_, name in drawn] == [n for n in formats.names() if n not in alike]
    assert {formats.get(name).word_bits for name in alike} == {formats.get("m2xfp").word_bits}
    for top, scale_lsb, name in drawn:
        spec = formats.get(name)
        assert int(top) == spec.word_bits - 1
        assert int(scale_lsb) == spec.word_bits - spec.scale_bits
