"""Closing: through which day hours are read-only, for everybody and for those who have a day of their own."""
