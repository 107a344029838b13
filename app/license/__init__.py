"""The license: key, verification, policy, gate, screen."""
