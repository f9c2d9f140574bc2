"""Errors that a command reports in one line instead of a traceback."""


class RunnerError(RuntimeError):
    """The command failed for a reason that the user can act on. The text is for the user."""


class EmulatorError(RunnerError):
    """An emulator does not start or answer. The text is one line for the user."""
