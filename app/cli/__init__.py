"""The commands of ``flask …``."""
