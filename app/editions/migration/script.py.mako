"""${message}

Revision ID: ${up_revision}
Revises:${f" {down_revision}" if down_revision else ""}
"""

${imports}

revision = "${up_revision}"
down_revision = ${f'"{down_revision}"' if down_revision else None}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades}


def downgrade() -> None:
    ${downgrades}
