"""The timer: one at a time for each person, in the bar of every page; stopping it makes hours and times of day."""
