"""The errors that `zoo` raises: each is written for the person who reads it."""


class ZooError(Exception):
    """Something could not be done; the message says what is wrong and how to fix it."""


class UnknownName(ZooError):
    """No backbone, head, plugin or fact has the given name.

    kind, name  "backbone" or "head" and what it was called, where a plugin that is not installed may offer it
    """

    def __init__(self, message: str, kind: str = "", name: str = "") -> None:
        super().__init__(message)
        self.kind, self.name = kind, name


class AmbiguousName(ZooError):
    """Several plugins offer the given name; it must be written `plugin/name`."""


class WeightsUnavailable(ZooError):
    """The weights are neither on this machine nor can they be fetched."""


class BadWeights(ZooError):
    """A weights file is damaged, altered, or made for another network."""


class OutOfMemory(ZooError):
    """What is to be computed does not fit into memory, however few examples are taken at a time."""


class BadData(ZooError):
    """The examples cannot be used as they are."""


class BadRun(ZooError):
    """A run folder cannot be read, or may not be written."""


class BadPlan(ZooError):
    """A setting of a training is unknown or out of its range."""


class BadRegistry(ZooError):
    """A registry cannot be read, or an entry of it is wrong."""


class CannotInstall(ZooError):
    """A plugin cannot be installed, upgraded or removed; the environment is as it was."""
