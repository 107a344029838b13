"""When the server is asked again. Pure."""

import random
from dataclasses import dataclass
from datetime import timedelta

IDLE = timedelta(minutes=1)
"""Between two questions when there is nothing to send, and the most between two attempts to send."""
_FIRST = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often in a row the server could not be reached."""

    failures: int = 0

    def failed(self) -> "Backoff":
        """After one more."""
        return Backoff(self.failures + 1)

    def wait(
        self, *, has_work: bool, asked_for: timedelta | None = None, source: random.Random | None = None
    ) -> timedelta:
        """How long to wait.

        While hours wait to be sent, 2, 4, 8 … 60 seconds, of which a random half, so that a server that comes back is
        not met by everybody at once. With nothing to send, a minute. Never less than the server asked for.
        """
        longest = min(_FIRST * 2 ** min(self.failures - 1, 10), IDLE) if has_work and self.failures else IDLE
        spread = (source or random.Random()).uniform(0.5, 1) if longest < IDLE else 1  # noqa: S311  # no secret
        return max(longest * spread, asked_for or timedelta())
