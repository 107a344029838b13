"""What Qt shows."""
