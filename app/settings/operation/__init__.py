"""System Settings → System Operation: status and audit log."""
