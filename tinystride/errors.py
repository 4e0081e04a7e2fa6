"""Errors that a user can act on: one line with the file, the broken rule and the remedy."""


class TinyStrideError(Exception):
    """Base of all expected errors.

    The message is one line. Command lines print it and exit with status 1.
    """

    def __init__(self, message: str):
        super().__init__(" ".join(str(message).split()))


class DataError(TinyStrideError):
    """A recording, table or archive cannot be used as it is."""


class ParameterError(TinyStrideError):
    """A parameter is unknown or out of its range."""


class UnreachableError(TinyStrideError):
    """A data set's files cannot be reached at any address."""


class ModelError(TinyStrideError):
    """A model file cannot be read, or holds an operator that is not supported."""


class ToolError(TinyStrideError):
    """A compiler or emulator is missing or failed."""


class ServiceError(TinyStrideError):
    """An online service cannot be reached or refuses a request."""


class MissingExtraError(TinyStrideError, ImportError):
    """A Python package is missing that only one of TinyStride's extras installs.

    Attributes:
        package: name of the missing package
        extra: name of the extra that installs it
    """

    def __init__(self, package: str, extra: str):
        super().__init__(
            f"the Python package {package} is not installed; run: pip install 'tinystride[{extra}]'"
        )
        self.package = package
        self.extra = extra
