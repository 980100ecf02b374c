from synth import liberty

LIBRARY = """
library(two_cells) {
  cell (NAND2X1) { area : 24;
    pin(Y) { direction : output; capacitance : 0; }
  }
  cell (BUFX2) {
    cell_footprint : buf;
    area : 24.5;
  }
  cell ("LATCH") { area : 0; }
  cell (FILL) { }
}
"""


def test_areas_of_cells():
    areas = liberty.cell_areas(LIBRARY)
    assert areas == {"NAND2X1": 24, "BUFX2": 24.5, "LATCH": 0, "FILL": 0}
