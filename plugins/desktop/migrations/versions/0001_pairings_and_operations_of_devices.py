"""Pairings and operations of devices.

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
        "edition_desktop_operations",
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("timer", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_edition_desktop_operations_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "user_id",
            "operation_id",
            name=op.f("pk_edition_desktop_operations"),
        ),
    )
    with op.batch_alter_table("edition_desktop_operations") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_edition_desktop_operations_at"),
            ["at"],
            unique=False,
        )
    op.create_table(
        "edition_desktop_pairings",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("device_code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("device_name", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_poll_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'confirmed', 'denied')",
            name=op.f("ck_edition_desktop_pairings_state"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_edition_desktop_pairings_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_desktop_pairings")),
        sa.UniqueConstraint(
            "device_code_hash",
            name=op.f("uq_edition_desktop_pairings_device_code_hash"),
        ),
        sa.UniqueConstraint(
            "user_code_hash",
            name=op.f("uq_edition_desktop_pairings_user_code_hash"),
        ),
    )
    with op.batch_alter_table("edition_desktop_pairings") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_edition_desktop_pairings_expires_at"),
            ["expires_at"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("edition_desktop_pairings") as batch_op:
        batch_op.drop_index(batch_op.f("ix_edition_desktop_pairings_expires_at"))
    op.drop_table("edition_desktop_pairings")
    with op.batch_alter_table("edition_desktop_operations") as batch_op:
        batch_op.drop_index(batch_op.f("ix_edition_desktop_operations_at"))
    op.drop_table("edition_desktop_operations")
