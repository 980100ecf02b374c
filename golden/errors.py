class InputError(ValueError):
    """A user's mistake: the command line reports it as one line and exits with status 2.

    The message names the thing, the rule and the offending value.
    """


class InputTypeError(InputError, TypeError):
    """A user's mistake of kind: an integer where a float belongs, for example."""


class MismatchError(AssertionError):
    """A result differs from the golden model: the command line exits with status 1."""
