"""Messages to members, what they want of them, what programs tell, and how far the sweeps have come."""

from alembic import op

revision = "0023"
down_revision = "0022"

REASONS = (
    "member_suspended", "member_closed", "no_address", "no_consent", "channel_refused", "kind_refused", "channel_off",
    "frequency_cap", "outdated", "nothing_expires", "tier_kept", "offer_closed", "order_gone", "reward_gone",
    "voucher_gone", "address_refused", "gave_up", "template_broken",
)

TABLES = f"""
CREATE TABLE messages (
    member_id uuid NOT NULL,
    message_id uuid NOT NULL,
    program_id uuid NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    key text NOT NULL,
    marketing boolean NOT NULL,
    data jsonb NOT NULL,
    status text NOT NULL,
    reason text,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    outdated_at timestamptz,
    decided_at timestamptz,
    sent_at timestamptz,
    read_at timestamptz,
    attempts integer NOT NULL,
    leased_until timestamptz,
    last_error text,
    digest_id uuid,
    language text,
    template_version integer,
    seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    CONSTRAINT pk_messages PRIMARY KEY (member_id, message_id),
    CONSTRAINT ck_messages_channel_is_known CHECK (channel IN ('inbox', 'email', 'webhook', 'apprise')),
    CONSTRAINT ck_messages_status_is_known CHECK (status IN ('queued', 'sent', 'digested', 'suppressed', 'failed')),
    CONSTRAINT ck_messages_reason_is_known CHECK (reason IS NULL OR reason IN {REASONS!r}),
    CONSTRAINT ck_messages_not_sent_for_a_reason CHECK ((status IN ('suppressed', 'failed')) = (reason IS NOT NULL)),
    CONSTRAINT ck_messages_sent_when CHECK ((status = 'sent') = (sent_at IS NOT NULL)),
    CONSTRAINT ck_messages_digested_with CHECK ((status = 'digested') = (digest_id IS NOT NULL))
);
CREATE UNIQUE INDEX uq_messages_once ON messages (member_id, kind, key, channel);
CREATE INDEX ix_messages_due ON messages (program_id, channel, due_at, seq) WHERE status = 'queued';
CREATE INDEX ix_messages_waiting ON messages (member_id, channel, seq) WHERE status = 'queued';
CREATE INDEX ix_messages_status ON messages (program_id, status, seq);
CREATE INDEX ix_messages_of_member ON messages (member_id, seq);
CREATE INDEX ix_messages_inbox ON messages (member_id, seq) WHERE channel = 'inbox' AND status = 'sent';
CREATE INDEX ix_messages_capped ON messages (member_id, channel, sent_at) WHERE marketing;

CREATE TABLE preferences (
    member_id uuid NOT NULL,
    preferences jsonb NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_preferences PRIMARY KEY (member_id)
);
CREATE TABLE notification_settings (
    program_id uuid NOT NULL,
    settings jsonb NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_notification_settings PRIMARY KEY (program_id),
    CONSTRAINT fk_notification_settings_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id)
);
CREATE TABLE sweeps (
    name text NOT NULL,
    scope uuid NOT NULL,
    until timestamptz,
    after uuid,
    not_before timestamptz,
    finished_at timestamptz,
    data jsonb DEFAULT '{{}}' NOT NULL,
    CONSTRAINT pk_sweeps PRIMARY KEY (name, scope)
);
CREATE INDEX ix_sweeps_open ON sweeps (name, not_before) WHERE finished_at IS NULL;
CREATE TABLE signing_keys (
    purpose text NOT NULL,
    secret text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_signing_keys PRIMARY KEY (purpose)
);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take back. Messages, what they were and who did not want them, are lost."""
    op.execute("DROP TABLE signing_keys, sweeps, notification_settings, preferences, messages")
