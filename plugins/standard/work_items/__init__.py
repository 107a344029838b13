"""Customers, their projects, and the tasks that hours are recorded on."""
