"""The API for programs: everything under ``/api/v1``."""
