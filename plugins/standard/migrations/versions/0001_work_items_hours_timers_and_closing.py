"""Work items, hours, timers and closing.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edition_standard_closings",
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("closed_through", sa.Date(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_edition_standard_closings_user_id_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_edition_standard_closings")),
        sa.UniqueConstraint(
            "user_id",
            name=op.f("uq_edition_standard_closings_user_id"),
        ),
    )
    op.create_table(
        "edition_standard_customers",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_standard_customers")),
    )
    op.create_table(
        "edition_standard_projects",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "customer_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("colour", sa.String(length=16), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("for_everybody", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["edition_standard_customers.id"],
            name=op.f(
                "fk_edition_standard_projects_customer_id_edition_standard_customers",
            ),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_standard_projects")),
    )
    with op.batch_alter_table("edition_standard_projects") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_edition_standard_projects_customer_id"),
            ["customer_id"],
            unique=False,
        )
    op.create_table(
        "edition_standard_project_members",
        sa.Column(
            "project_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["edition_standard_projects.id"],
            name=op.f(
                "fk_edition_standard_project_members_project_id_edition_standard_projects",
            ),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_edition_standard_project_members_user_id_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(
            "project_id",
            "user_id",
            name=op.f("pk_edition_standard_project_members"),
        ),
    )
    with op.batch_alter_table("edition_standard_project_members") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_edition_standard_project_members_user_id"),
            ["user_id"],
            unique=False,
        )
    op.create_table(
        "edition_standard_tasks",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "project_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("billable", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["edition_standard_projects.id"],
            name=op.f("fk_edition_standard_tasks_project_id_edition_standard_projects"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_standard_tasks")),
    )
    with op.batch_alter_table("edition_standard_tasks") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_edition_standard_tasks_project_id"),
            ["project_id"],
            unique=False,
        )
    op.create_table(
        "edition_standard_entries",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "task_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("memo", sa.String(length=1000), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "minutes BETWEEN 1 AND 1440",
            name=op.f("ck_edition_standard_entries_minutes"),
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["edition_standard_tasks.id"],
            name=op.f("fk_edition_standard_entries_task_id_edition_standard_tasks"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_edition_standard_entries_user_id_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_standard_entries")),
        sa.UniqueConstraint(
            "user_id",
            "day",
            "task_id",
            name=op.f("uq_edition_standard_entries_user_id_day_task_id"),
        ),
    )
    with op.batch_alter_table("edition_standard_entries") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_edition_standard_entries_day_task_id_user_id_minutes"),
            ["day", "task_id", "user_id", "minutes"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_edition_standard_entries_task_id_day"),
            ["task_id", "day"],
            unique=False,
        )
    op.create_table(
        "edition_standard_favourites",
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "task_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["edition_standard_tasks.id"],
            name=op.f("fk_edition_standard_favourites_task_id_edition_standard_tasks"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_edition_standard_favourites_user_id_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(
            "user_id",
            "task_id",
            name=op.f("pk_edition_standard_favourites"),
        ),
    )
    op.create_table(
        "edition_standard_sheet_rows",
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("thursday", sa.Date(), nullable=False),
        sa.Column(
            "task_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["edition_standard_tasks.id"],
            name=op.f("fk_edition_standard_sheet_rows_task_id_edition_standard_tasks"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_edition_standard_sheet_rows_user_id_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(
            "user_id",
            "thursday",
            "task_id",
            name=op.f("pk_edition_standard_sheet_rows"),
        ),
    )
    op.create_table(
        "edition_standard_spans",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "task_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("starts", sa.SmallInteger(), nullable=False),
        sa.Column("ends", sa.SmallInteger(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "0 <= starts AND starts < ends AND ends <= 1440",
            name=op.f("ck_edition_standard_spans_times"),
        ),
        sa.CheckConstraint(
            "minutes BETWEEN 0 AND 1440",
            name=op.f("ck_edition_standard_spans_minutes"),
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["edition_standard_tasks.id"],
            name=op.f("fk_edition_standard_spans_task_id_edition_standard_tasks"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_edition_standard_spans_user_id_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_standard_spans")),
    )
    with op.batch_alter_table("edition_standard_spans") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_edition_standard_spans_task_id"),
            ["task_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_edition_standard_spans_user_id_day"),
            ["user_id", "day"],
            unique=False,
        )
    op.create_table(
        "edition_standard_timers",
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "task_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("memo", sa.String(length=1000), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["edition_standard_tasks.id"],
            name=op.f("fk_edition_standard_timers_task_id_edition_standard_tasks"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_edition_standard_timers_user_id_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_edition_standard_timers")),
    )
    # Whoever writes hours locks this row, so that nobody closes a day meanwhile: it is always there.
    op.execute(
        sa.insert(
            sa.table(
                "edition_standard_closings",
                sa.column("scope"),
                sa.column("changed_at"),
                sa.column("changed_by"),
            )
        ).values(scope="everybody", changed_at=sa.func.current_timestamp(), changed_by="")
    )


def downgrade() -> None:
    op.drop_table("edition_standard_timers")
    with op.batch_alter_table("edition_standard_spans") as batch_op:
        batch_op.drop_index(batch_op.f("ix_edition_standard_spans_user_id_day"))
        batch_op.drop_index(batch_op.f("ix_edition_standard_spans_task_id"))
    op.drop_table("edition_standard_spans")
    op.drop_table("edition_standard_sheet_rows")
    op.drop_table("edition_standard_favourites")
    with op.batch_alter_table("edition_standard_entries") as batch_op:
        batch_op.drop_index(batch_op.f("ix_edition_standard_entries_task_id_day"))
        batch_op.drop_index(
            batch_op.f("ix_edition_standard_entries_day_task_id_user_id_minutes"),
        )
    op.drop_table("edition_standard_entries")
    with op.batch_alter_table("edition_standard_tasks") as batch_op:
        batch_op.drop_index(batch_op.f("ix_edition_standard_tasks_project_id"))
    op.drop_table("edition_standard_tasks")
    with op.batch_alter_table("edition_standard_project_members") as batch_op:
        batch_op.drop_index(batch_op.f("ix_edition_standard_project_members_user_id"))
    op.drop_table("edition_standard_project_members")
    with op.batch_alter_table("edition_standard_projects") as batch_op:
        batch_op.drop_index(batch_op.f("ix_edition_standard_projects_customer_id"))
    op.drop_table("edition_standard_projects")
    op.drop_table("edition_standard_customers")
    op.drop_table("edition_standard_closings")
