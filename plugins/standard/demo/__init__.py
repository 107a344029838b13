"""A company to look around in: ``flask standard demo``."""
