"""The templates of the core, installed as ``app.templates``."""
