"""The editions that come with the product."""
