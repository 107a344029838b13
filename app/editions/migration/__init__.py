"""The text of a migration of an edition: the template, and its code as a formatter would leave it."""
