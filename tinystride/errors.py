"""Errors that a user can act on: one line that names the file, the rule that was broken and the remedy."""


class TinyStrideError(Exception):
    """Base of all expected errors. The message is one line; command lines print it and exit with 1."""

    def __init__(self, message: str):
        super().__init__(" ".join(str(message).split()))


class DataError(TinyStrideError):
    """A recording, table or archive that cannot be used as it is."""


class ParameterError(TinyStrideError):
    """A parameter that is unknown or out of its range."""


class UnreachableError(TinyStrideError):
    """No base of a data set's files could be reached."""


class ModelError(TinyStrideError):
    """A model file that cannot be read, or an operator that is not supported."""


class ToolError(TinyStrideError):
    """A compiler or emulator that is missing or failed."""


class ServiceError(TinyStrideError):
    """A service elsewhere that cannot be reached or refuses what it is sent."""


class MissingExtraError(TinyStrideError, ImportError):
    """A Python package that is not installed, since only one of TinyStride's extras needs it."""

    def __init__(self, package: str, extra: str):
        super().__init__(
            f"the Python package {package} is not installed; run: pip install 'tinystride[{extra}]'"
        )
        self.package = package
        self.extra = extra
