from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .core import GemmCore

#: Stream of the core -> its AXI4-Stream name.
STREAMS = {
    "commands": "s_axis_cmd",
    "activations": "s_axis_act",
    "weights": "s_axis_wgt",
    "c": "s_axis_c",
    "results": "m_axis_res",
    "status": "m_axis_status",
}


class AxiGemmCore(wiring.Component):
    """`GemmCore` with the port names of AXI4-Stream, each a plain signal.

    Parameters
    ----------
    core : GemmCore

    Attributes
    ----------
    aclk : In(1)
        Clock; everything happens at its rising edge.
    aresetn : In(1)
        Low at a rising edge resets the core, from whatever it does. Hold it low for one cycle
        or more after power-up.
    s_axis_cmd_tdata, ... : In, Out
        TDATA, TVALID, TREADY, TLAST, and TKEEP on ``m_axis_res``, of the streams in `STREAMS`.
    """

    def __init__(self, core: GemmCore):
        self._core = core
        members = {"aclk": In(1), "aresetn": In(1)}
        for name, signal in self._signals():
            members[name] = signal[0](Value.cast(signal[1]).shape().width)
        super().__init__(members)

    @property
    def core(self) -> GemmCore:
        """The core inside."""
        return self._core

    def _signals(self):
        """Yield (port name, (flow, signal of the core)) in order."""
        for name, member in self._core.signature.members.items():
            interface, prefix = getattr(self._core, name), STREAMS[name]
            back = Out if member.flow is In else In
            for part in interface.payload.shape().members:
                yield f"{prefix}_t{part}", (member.flow, interface.payload[part])
            yield f"{prefix}_tvalid", (member.flow, interface.valid)
            yield f"{prefix}_tready", (back, interface.ready)

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.core = self._core
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        for name, (flow, signal) in self._signals():
            port = getattr(self, name)
            m.d.comb += signal.eq(port) if flow is In else port.eq(signal)
        return m
