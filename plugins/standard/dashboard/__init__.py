"""The dashboard: the week, what is missing, where the hours went, and the timer."""
