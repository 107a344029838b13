"""The version of the product, the one place where it stands."""

__version__ = "1.0.0"
