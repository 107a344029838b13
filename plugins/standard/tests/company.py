"""A small company for tests: one person, a project for everybody, one of others, and what is finished."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask
from sqlalchemy import Row, delete, select

from app.audit import AuditEntry
from app.sdk import read_connection, write_transaction
from plugins.standard.closing_days import EVERYBODY, scope_of
from plugins.standard.entries import Writer
from plugins.standard.models import Closing, Customer, Project, Task

THURSDAY = date(2026, 11, 26)
"""The day of the mock pages."""


@dataclass
class Company:
    """What the tests of hours are made with; ``tasks`` holds ids by short names."""

    app: Flask
    writer: Writer
    tasks: dict[str, int] = field(default_factory=dict)
    projects: dict[str, int] = field(default_factory=dict)

    def fill(self) -> "Company":
        """Add customers, projects and tasks."""
        with write_transaction() as session:
            customer = Customer(code="KIT", name="Kitamura Precision", active=True)
            session.add(customer)
            session.flush()
            for name, for_everybody in (("press", True), ("others", False)):
                project = Project(
                    customer_id=customer.id,
                    code=name.upper(),
                    name=name.title(),
                    colour="blue",
                    active=True,
                    for_everybody=for_everybody,
                )
                session.add(project)
                session.flush()
                self.projects[name] = project.id
            for name, project_name, active in (
                ("drawing", "press", True),
                ("review", "press", True),
                ("finished", "press", False),
                ("of others", "others", True),
            ):
                task = Task(
                    project_id=self.projects[project_name],
                    code=f"RX-{len(self.tasks)}",
                    name=name.capitalize(),
                    active=active,
                    billable=True,
                )
                session.add(task)
                session.flush()
                self.tasks[name] = task.id
        return self

    def close(self, through: date | None, *, user_id: int | None = None) -> None:
        """Close days without asking anybody."""
        scope = EVERYBODY if user_id is None else scope_of(user_id)
        with self.app.app_context(), write_transaction() as session:
            session.execute(delete(Closing).where(Closing.scope == scope))
            at = datetime.now(UTC)
            row = Closing(scope=scope, user_id=user_id, closed_through=through, changed_at=at, changed_by="test")
            session.add(row)

    def audited(self, action: str) -> list[Row[Any]]:
        """The audit entries of one action."""
        table = AuditEntry.__table__
        with self.app.app_context(), read_connection() as connection:
            return list(connection.execute(select(table).where(table.c.action == action).order_by(table.c.id)))
