"""Pairing a device with a person: rules, service, forms."""
