"""System Settings → General."""
