"""The core's tables.

Revision ID: 0001
Revises:
"""

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from app.database import RowId, UtcDateTime, create_triggers, drop_trigger_functions

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(op.f("ix_audit_entries_action_at_id"), "audit_entries", ["action", "at", "id"], unique=False)
    op.create_index(op.f("ix_audit_entries_actor_at_id"), "audit_entries", ["actor", "at", "id"], unique=False)
    op.create_index(op.f("ix_audit_entries_at_id"), "audit_entries", ["at", "id"], unique=False)
    op.create_index(op.f("ix_audit_entries_outcome_at_id"), "audit_entries", ["outcome", "at", "id"], unique=False)
    op.create_table(
        "edition_switches",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_edition_switches")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.String(length=36), nullable=False),
        sa.Column("license_revision", sa.BigInteger(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "licenses",
        sa.Column("id", RowId, nullable=False),
        sa.Column("number", sa.String(length=36), nullable=False),
        sa.Column("fingerprint", sa.String(length=12), nullable=False),
        sa.Column("key_text", sa.Text(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("registered_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licenses")),
        sa.UniqueConstraint("number", name=op.f("uq_licenses_number")),
    )
    op.create_table(
        "seat_count",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registered_users", RowId, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_count")),
    )
    op.create_table(
        "throttles",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_again_at", UtcDateTime(), nullable=False),
        sa.Column("forgotten_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttles")),
    )
    op.create_index(op.f("ix_throttles_forgotten_at"), "throttles", ["forgotten_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", RowId, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("login_key", sa.String(length=256), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=800), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", sa.String(length=1016), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("theme", sa.String(length=8), server_default="auto", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=True),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login_key", name=op.f("uq_users_login_key")),
    )
    op.create_table(
        "user_permissions",
        sa.Column("user_id", RowId, nullable=False),
        sa.Column("permission", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_permissions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "permission", name=op.f("pk_user_permissions")),
    )
    op.create_index(
        op.f("ix_user_permissions_permission_user_id"),
        "user_permissions",
        ["permission", "user_id"],
        unique=False,
    )
    op.create_table(
        "user_sessions",
        sa.Column("id", RowId, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", RowId, nullable=False),
        sa.Column("client", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
    )
    op.create_index(op.f("ix_user_sessions_expires_at"), "user_sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False)
    _insert_single_rows()
    create_triggers(op.get_bind())


def _insert_single_rows() -> None:
    """The two tables of one row each: the installation with its random id, and the count of registered users."""
    installation = sa.table(
        "installation",
        sa.column("id", sa.Integer),
        sa.column("identifier", sa.String),
        sa.column("license_revision", sa.BigInteger),
        sa.column("time_zone", sa.String),
        sa.column("language", sa.String),
        sa.column("created_at", UtcDateTime()),
    )
    row = {
        "id": 1,
        "identifier": str(uuid.uuid4()),
        "license_revision": 0,
        "time_zone": "UTC",
        "language": "en",
        "created_at": datetime.now(UTC),
    }
    op.bulk_insert(installation, [row])
    seat_count = sa.table("seat_count", sa.column("id", sa.Integer), sa.column("registered_users", sa.BigInteger))
    op.bulk_insert(seat_count, [{"id": 1, "registered_users": 0}])


def downgrade() -> None:
    op.drop_index(op.f("ix_user_sessions_user_id"), table_name="user_sessions")
    op.drop_index(op.f("ix_user_sessions_expires_at"), table_name="user_sessions")
    op.drop_table("user_sessions")
    op.drop_index(op.f("ix_user_permissions_permission_user_id"), table_name="user_permissions")
    op.drop_table("user_permissions")
    op.drop_table("users")
    op.drop_index(op.f("ix_throttles_forgotten_at"), table_name="throttles")
    op.drop_table("throttles")
    op.drop_table("seat_count")
    op.drop_table("licenses")
    op.drop_table("installation")
    op.drop_table("edition_switches")
    op.drop_index(op.f("ix_audit_entries_outcome_at_id"), table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_at_id"), table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_actor_at_id"), table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_action_at_id"), table_name="audit_entries")
    op.drop_table("audit_entries")
    drop_trigger_functions(op.get_bind())
