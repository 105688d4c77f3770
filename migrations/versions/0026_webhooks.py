"""Webhooks: endpoints, what they are signed with, and what is delivered to them."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Apply."""
    op.execute("""
        CREATE TABLE webhooks (
            webhook_id uuid NOT NULL, program_id uuid NOT NULL,
            url text NOT NULL, types text[] NOT NULL, description text NOT NULL,
            version bigint NOT NULL, created_at timestamptz NOT NULL,
            paused_at timestamptz, paused_reason text,
            xid bigint NOT NULL, seq bigint NOT NULL, sequence bigint NOT NULL DEFAULT 0,
            failures integer NOT NULL DEFAULT 0, failing_since timestamptz, next_try_at timestamptz,
            CONSTRAINT pk_webhooks PRIMARY KEY (webhook_id),
            CONSTRAINT fk_webhooks_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id),
            CONSTRAINT ck_webhooks_paused_reason_known CHECK (paused_reason IN ('asked', 'gone', 'failing')),
            CONSTRAINT ck_webhooks_paused_for_a_reason CHECK ((paused_at IS NULL) = (paused_reason IS NULL)),
            CONSTRAINT ck_webhooks_counts_not_negative CHECK (sequence >= 0 AND failures >= 0)
        );
        CREATE INDEX ix_webhooks_program_id_webhook_id ON webhooks (program_id, webhook_id);

        CREATE TABLE webhook_secrets (
            secret_id uuid NOT NULL, webhook_id uuid NOT NULL,
            created_at timestamptz NOT NULL, secret text NOT NULL, expires_at timestamptz,
            CONSTRAINT pk_webhook_secrets PRIMARY KEY (secret_id),
            CONSTRAINT fk_webhook_secrets_webhook_id_webhooks FOREIGN KEY (webhook_id)
                REFERENCES webhooks (webhook_id) ON DELETE CASCADE,
            CONSTRAINT ck_webhook_secrets_secret_has_its_prefix CHECK (secret ~ '^whsec_')
        );
        CREATE INDEX ix_webhook_secrets_webhook_id ON webhook_secrets (webhook_id);

        CREATE TABLE webhook_deliveries (
            webhook_id uuid NOT NULL, sequence bigint NOT NULL,
            owner_id uuid NOT NULL, occurred_at timestamptz NOT NULL, event_id uuid NOT NULL, type text NOT NULL,
            given_at timestamptz NOT NULL, due_at timestamptz, attempts integer NOT NULL DEFAULT 0,
            failing_since timestamptz, last_status smallint, last_error text, last_milliseconds integer,
            delivered_at timestamptz,
            CONSTRAINT pk_webhook_deliveries PRIMARY KEY (webhook_id, sequence),
            CONSTRAINT ck_webhook_deliveries_delivered_or_due CHECK (delivered_at IS NULL OR due_at IS NULL),
            CONSTRAINT ck_webhook_deliveries_counts_not_negative CHECK (sequence > 0 AND attempts >= 0)
        );
        CREATE INDEX ix_webhook_deliveries_due_at ON webhook_deliveries (webhook_id, due_at)
            WHERE due_at IS NOT NULL;
        CREATE INDEX ix_webhook_deliveries_waiting_by_owner ON webhook_deliveries (webhook_id, owner_id, sequence)
            WHERE delivered_at IS NULL;
        CREATE INDEX ix_webhook_deliveries_waiting ON webhook_deliveries (webhook_id, sequence)
            WHERE delivered_at IS NULL;
        CREATE INDEX ix_webhook_deliveries_delivered ON webhook_deliveries (webhook_id, sequence)
            WHERE delivered_at IS NOT NULL;
    """)


def downgrade() -> None:
    """Take back. Who was told what is forgotten; the log of facts stays."""
    op.execute("DROP TABLE webhook_deliveries; DROP TABLE webhook_secrets; DROP TABLE webhooks")
