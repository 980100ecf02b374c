from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..formats import Format
from ..tile import activation_beat
from .layouts import Command
from .walk import TileWalk


class ActivationBuffer(wiring.Component):
    """Keeps the activations of a block of rows and replays them for every block of channels.

    A block loads one group a cycle; then every tile replays it group by group along K, one row
    a cycle. The first beat of a block is offered 2 cycles after its last group came.

    Parameters
    ----------
    format : Format
    columns, rows : int
        Size of the tile.
    depth : int
        Groups that the buffer keeps.

    Attributes
    ----------
    command : In(Command)
        Held while the command runs.
    start : In(1)
        Begins a command.
    groups : In(stream.Signature(width of a group))
        Panel by panel, in each row by row; see `Command`.
    final : Out(1)
        The group on ``groups`` is the last one of the command.
    beats : Out(stream.Signature(activation_beat(format)))
    entered : Out(1)
        A beat was accepted.
    channels : Out(range(columns + 1))
        Channels that the beat on ``beats`` is for.
    """

    def __init__(self, format: Format, *, columns: int, rows: int, depth: int):
        self._format = format
        self._columns, self._rows, self._depth = columns, rows, depth
        super().__init__(
            {
                "command": In(Command),
                "start": In(1),
                "groups": In(stream.Signature(format.group.size)),
                "final": Out(1),
                "beats": Out(stream.Signature(activation_beat(format))),
                "entered": Out(1),
                "channels": Out(range(columns + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.walk = walk = TileWalk(self._columns, self._rows)
        m.submodules.store = store = memory.Memory(
            shape=self._format.group.size, depth=self._depth, init=[]
        )
        write, read = store.write_port(), store.read_port()
        beat = self.beats.payload
        first, last, end = Signal(), Signal(), Signal()

        address = Signal(range(self._depth))
        row = Signal(range(self._rows))
        #: Groups along K from the present panel or group on.
        left = Signal(16)
        last_row = Signal()
        block_end = Signal()
        advance = Signal()
        m.d.comb += [
            walk.total_rows.eq(self.command.rows),
            walk.total_channels.eq(self.command.channels),
            walk.start.eq(self.start),
            last_row.eq(row == walk.rows - 1),
            advance.eq(~self.beats.valid | self.beats.ready),
            self.entered.eq(self.beats.valid & self.beats.ready),
            write.addr.eq(address),
            write.data.eq(self.groups.payload),
            write.en.eq(self.groups.valid & self.groups.ready),
            read.addr.eq(address),
            read.en.eq(advance),
            beat.group.eq(read.data),
            beat.first.eq(first),
            beat.last.eq(last),
            beat.end.eq(end),
        ]

        # Panels are stored as they are replayed: all rows of a group, then the next group.
        base = Signal(range(self._depth))
        panel = self.command.panel
        last_panel, last_group = Signal(), Signal()
        position = Signal(16)
        m.d.comb += [
            last_panel.eq((panel == 0) | (left <= panel)),
            last_group.eq(Mux(last_panel, position == left - 1, position == panel - 1)),
            block_end.eq(last_panel & last_group & last_row),
        ]

        with m.If(self.beats.ready):
            m.d.sync += self.beats.valid.eq(0)
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += left.eq(self.command.groups)
                m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += [
                    self.groups.ready.eq(1),
                    self.final.eq(block_end & walk.last_rows),
                ]
                with m.If(self.groups.valid):
                    with m.If(~last_group):
                        m.d.sync += [position.eq(position + 1), address.eq(address + walk.rows)]
                    with m.Elif(~last_row):
                        m.d.sync += [
                            position.eq(0),
                            row.eq(row + 1),
                            address.eq(base + row + 1),
                        ]
                    with m.Else():
                        m.d.sync += [
                            position.eq(0),
                            row.eq(0),
                            address.eq(address + 1),
                            base.eq(address + 1),
                            left.eq(left - panel),
                        ]
                    with m.If(block_end):
                        m.d.sync += [address.eq(0), base.eq(0), left.eq(self.command.groups)]
                        m.next = "REPLAY"
            with m.State("REPLAY"), m.If(advance):
                m.d.sync += [
                    self.beats.valid.eq(1),
                    first.eq(left == self.command.groups),
                    last.eq(left == 1),
                    end.eq(last_row),
                    self.channels.eq(walk.channels),
                    address.eq(address + 1),
                    row.eq(row + 1),
                ]
                with m.If(last_row):
                    m.d.sync += [row.eq(0), left.eq(left - 1)]
                with m.If(last_row & (left == 1)):
                    m.d.comb += walk.next.eq(1)
                    m.d.sync += [address.eq(0), left.eq(self.command.groups)]
                    with m.If(walk.last_channels & walk.last_rows):
                        m.next = "IDLE"
                    with m.Elif(walk.last_channels):
                        m.next = "LOAD"
        return m
