"""Signing in and out, sessions, users and their permissions."""
