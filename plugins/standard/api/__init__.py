"""Tasks, hours, timer and closed days for programs, below ``/api/v1``."""
