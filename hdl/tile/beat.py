from amaranth.lib import data

from ..formats import Format


def activation_beat(format: Format) -> data.StructLayout:
    """Return the payload of a tile's activation stream.

    Members
    -------
    group : format.group
        One group of one row of activations.
    first : unsigned(1)
        First group along K: the partial sum of the row starts from +0.
    last : unsigned(1)
        Last group along K: the row's result leaves the tile.
    end : unsigned(1)
        Last row for the present weights: the next beat uses the next set of weights.
    """
    return data.StructLayout({"group": format.group, "first": 1, "last": 1, "end": 1})


def control_layout(rows: int, slots: int) -> data.StructLayout:
    """Return what travels beside a beat.

    Members
    -------
    valid : unsigned(1)
    swap : unsigned(1)
        The beat is the first one of its set of weights.
    first, last : unsigned(1)
    row : range(rows)
    slot : range(slots)
        Where the row's results go, if ``last``.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "swap": 1,
            "first": 1,
            "last": 1,
            "row": range(rows),
            "slot": range(slots),
        }
    )
