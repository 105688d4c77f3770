"""What programs say to their members in words of their own, in versions that never change."""

from alembic import op

revision = "0024"
down_revision = "0023"

TABLE = """
CREATE TABLE notification_templates (
    program_id uuid NOT NULL,
    kind text NOT NULL,
    language text NOT NULL,
    version bigint NOT NULL,
    subject text NOT NULL,
    text text NOT NULL,
    html text,
    withdrawn boolean NOT NULL,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT pk_notification_templates PRIMARY KEY (program_id, kind, language, version),
    CONSTRAINT fk_notification_templates_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id),
    CONSTRAINT ck_notification_templates_version_positive CHECK (version > 0)
);
CREATE TRIGGER notification_templates_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON notification_templates
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLE)


def downgrade() -> None:
    """Take back: members are told in the words of the engine again."""
    op.execute("DROP TABLE notification_templates")
