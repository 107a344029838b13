"""The time sheet: the week as a grid of tasks and days, and the day with its times."""
