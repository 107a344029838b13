"""System Settings → Users."""
