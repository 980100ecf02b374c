"""The systolic tile as nothing but its own registers and wires."""

from contextlib import ExitStack

from amaranth.hdl import Fragment, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl import column
from hdl.accumulator import Fp32Accumulator
from hdl.dot import GroupDot
from hdl.formats import Format
from hdl.fp32 import Fp32
from hdl.term import term_layout
from hdl.tile import SystolicTile, tile
from hdl.tile.beat import control_layout
from hdl.tile.front import TileFront
from hdl.tile.initial import InitialSums
from hdl.tile.partials import Partials
from hdl.tile.results import ResultSlots

from ..cuts import Stub, replaced

COLUMNS, ROWS = 2, 4

#: What is taken out: where it is referred to, and its ports.
_STUBS = {
    "GroupDot": (column, GroupDot, ("activation", "weight", "term")),
    "Fp32Accumulator": (column, Fp32Accumulator, ("term", "partial", "total")),
    "Partials": (
        tile,
        Partials,
        ("read_row", "read_data", "write_row", "write_data", "write_en"),
    ),
    "TileFront": (tile, TileFront, ("control", "operand", "weight")),
    "ResultSlots": (tile, ResultSlots, ("slot", "total", "write")),
    "InitialSums": (tile, InitialSums, ("read", "sums")),
}
#: Of these there is one in each column.
_IN_COLUMNS = ("GroupDot", "Fp32Accumulator", "Partials")


class Wiring(wiring.Component):
    """The tile without its front, arithmetic, memories and queues: what they would give is free.

    Ports are named after the part, the port and, but for the front's, the number of the column.
    """

    def __init__(self, format: Format, *, initial: bool):
        self._unit = SystolicTile(format, columns=COLUMNS, rows=ROWS, initial=initial)
        members = {
            "TileFront_control": In(control_layout(ROWS, self._unit.slots)),
            "TileFront_operand": In(format.activation),
            "TileFront_weight": In(format.weight),
        }
        for index in range(COLUMNS):
            ports = {
                "GroupDot_activation": Out(format.activation),
                "GroupDot_weight": Out(format.weight),
                "GroupDot_term": In(term_layout(format)),
                "Fp32Accumulator_term": Out(term_layout(format)),
                "Fp32Accumulator_partial": Out(Fp32),
                "Fp32Accumulator_total": In(Fp32),
                "Partials_read_row": Out(range(ROWS)),
                "Partials_read_data": In(32),
                "Partials_write_row": Out(range(ROWS)),
                "Partials_write_data": Out(32),
                "Partials_write_en": Out(1),
                "ResultSlots_slot": Out(range(self._unit.slots)),
                "ResultSlots_total": Out(32),
                "ResultSlots_write": Out(1),
            }
            if initial:
                ports |= {"InitialSums_read": Out(1), "InitialSums_sums": In(32)}
            members |= {f"{name}_{index}": port for name, port in ports.items()}
        super().__init__(members)

    def elaborate(self, platform):
        """Elaborate the tile with stubs."""
        m = Module()
        stubs: dict[str, list[Stub]] = {}

        def stubbing(name, kind):
            def make(*arguments, **options):
                stubs.setdefault(name, []).append(Stub(kind(*arguments, **options)))
                return stubs[name][-1]

            return make

        with ExitStack() as stack:
            for name, (module, kind, _) in _STUBS.items():
                stack.enter_context(replaced(module, name, stubbing(name, kind)))
            m.submodules.unit = Fragment.get(self._unit, platform)
        for name, made in stubs.items():
            for port in _STUBS[name][2]:
                ends = [getattr(stub, port) for stub in made]
                if name == "TileFront":
                    self._connect(m, f"{name}_{port}", ends[0])
                    continue
                for index in range(COLUMNS):
                    end = ends[index] if name in _IN_COLUMNS else ends[0][index]
                    self._connect(m, f"{name}_{port}_{index}", end)
        return m

    def _connect(self, m: Module, name: str, inner) -> None:
        outer, inner = Value.cast(getattr(self, name)), Value.cast(inner)
        drives = self.signature.members[name].flow is In
        m.d.comb += inner.eq(outer) if drives else outer.eq(inner)
