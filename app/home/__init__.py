"""The address ``/``."""
