"""The desktop application of TimeTracker RX.

Everything that decides lies beside ``window`` and knows no Qt; ``window`` shows it.
"""

__version__ = "1.0.0"
