"""Editions: plug-ins that bring features and pages; found, checked, registered, licensed."""
