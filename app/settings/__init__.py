"""System Settings: users, general, operation."""
