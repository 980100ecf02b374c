"""Bitstreams for boards by amaranth-boards and the tools of PyPI."""
