"""Lines of Markdown."""

import textwrap


def wrap(text: str, indent: str = "") -> str:
    """Return a paragraph or an item in lines of at most 100 characters."""
    return textwrap.fill(
        text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
