"""What devices tell and are answered."""
