from amaranth.hdl import unsigned
from amaranth.lib import data, enum, stream


class Output(enum.Enum, shape=unsigned(1)):
    """What leaves on the result stream: FP32 sums, or groups of the core's own format."""

    FP32 = 0
    GROUPS = 1


class Refusal(enum.Enum, shape=unsigned(8)):
    """Why a command was refused; a refused command takes no data and gives no results."""

    NONE = 0
    ZERO = 1
    OVERSIZED = 2
    UNSUPPORTED = 3
    FRAMING = 4


class Command(data.Struct):
    """The command word: one beat of ``s_axis_cmd``, with TLAST.

    Members
    -------
    rows : unsigned(16)
        M, rows of activations.
    groups : unsigned(16)
        Groups along K.
    channels : unsigned(16)
        N, output channels.
    tag : unsigned(8)
        Comes back in the status.
    panel : unsigned(6)
        Order of the activations: so many groups of a row, then as many of the next row; 0 for
        all groups of a row.
    output : Output
        FP32 sums (0) or quantized groups (1).
    accumulate : unsigned(1)
        The sums start from the C stream instead of +0.
    """

    rows: unsigned(16)
    groups: unsigned(16)
    channels: unsigned(16)
    tag: unsigned(8)
    panel: unsigned(6)
    output: Output
    accumulate: unsigned(1)


class Flags(data.Struct):
    """What was wrong with the data of a command that was carried out.

    Members
    -------
    activations_early, weights_early, c_early : unsigned(1)
        TLAST came before the last beat that the command asks for; zeros took their place.
    activations_late, weights_late, c_late : unsigned(1)
        TLAST was missing on the last beat; beats up to TLAST were dropped.
    activations_nan, weights_nan : unsigned(1)
        A group with a NaN scale was seen; the results say what the format says.
    """

    activations_early: unsigned(1)
    activations_late: unsigned(1)
    weights_early: unsigned(1)
    weights_late: unsigned(1)
    c_early: unsigned(1)
    c_late: unsigned(1)
    activations_nan: unsigned(1)
    weights_nan: unsigned(1)


class Status(data.Struct):
    """The status record of a command: ten words of 32 bits on ``m_axis_status``, TLAST on the last.

    Members
    -------
    tag : unsigned(8)
        Tag of the command.
    refusal : Refusal
        Why the command was refused; 0 if it was carried out.
    flags : Flags
        What was wrong with its data.
    reserved : unsigned(8)
        Zero.
    busy : unsigned(32)
        Cycles from the command's transfer to the first status word offered, both excluded.
    stalled_activations, stalled_weights, stalled_c : unsigned(32)
        Cycles in which the core was ready for a beat of the stream and none was offered.
    stalled_results : unsigned(32)
        Cycles in which a result was offered and not taken.
    macs : unsigned(64)
        Multiply-accumulates of the command's own channels, without padding.
    groups : unsigned(32)
        Groups of activations that entered the tile, each time they did.
    nan_results : unsigned(32)
        FP32 sums that were NaN, before any quantization.
    """

    tag: unsigned(8)
    refusal: Refusal
    flags: Flags
    reserved: unsigned(8)
    busy: unsigned(32)
    stalled_activations: unsigned(32)
    stalled_weights: unsigned(32)
    stalled_c: unsigned(32)
    stalled_results: unsigned(32)
    macs: unsigned(64)
    groups: unsigned(32)
    nan_results: unsigned(32)


def axis(width: int, *, keep: bool = False) -> stream.Signature:
    """Return the signature of an AXI4-Stream of ``width`` bits TDATA.

    Members of the payload
    ----------------------
    data : unsigned(width)
    keep : unsigned(width // 8)
        TKEEP, with ``keep`` only.
    last : unsigned(1)
        TLAST.
    """
    members = {"data": width}
    if keep:
        members["keep"] = width // 8
    return stream.Signature(data.StructLayout(members | {"last": 1}))
