"""The month: each day with what is expected of it, over-time, missing days, and what the hours went to."""
