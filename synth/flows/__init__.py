"""Synthesis flows, one a target: each turns a component into figures that hide nothing.

Every flow has ``run(component, name, *, folder=None, ...)`` that returns a result with
``name``, ``cells`` (type -> count) and ``figures`` (column title -> headline figure), and
``FABRIC``, what the component should be shaped for.
"""

from . import ecp5, generic, ice40, osu018

__all__ = ["TARGETS"]

#: Target name -> flow.
TARGETS = {"generic": generic, "ice40": ice40, "ecp5": ecp5, "osu018": osu018}
