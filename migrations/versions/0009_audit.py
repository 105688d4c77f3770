"""Configuration has a past: who changed what, the settings by version, and the stock that a reward was given."""

from alembic import op

revision = "0009"
down_revision = "0008"

TABLES = """
CREATE TABLE audit_log (
    program_id uuid NOT NULL,
    audit_id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    resource text NOT NULL,
    before jsonb,
    after jsonb,
    CONSTRAINT pk_audit_log PRIMARY KEY (program_id, audit_id),
    CONSTRAINT fk_audit_log_program_id FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
CREATE INDEX ix_audit_log_resource ON audit_log (program_id, resource, audit_id);
CREATE INDEX ix_audit_log_actor ON audit_log (program_id, actor, audit_id);
CREATE INDEX ix_audit_log_actor_resource ON audit_log (program_id, actor, resource, audit_id);
CREATE TABLE program_versions (
    program_id uuid NOT NULL,
    version bigint NOT NULL,
    config_version bigint NOT NULL,
    document jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_program_versions PRIMARY KEY (program_id, version),
    CONSTRAINT fk_program_versions_program_id FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
ALTER TABLE rewards ADD COLUMN stock bigint;
"""

# Of programs that are there already only the present version is known. A setting that was never set has the default
# of the day, spelt out, so that a default may change without changing the past.
BACKFILL = """
INSERT INTO program_versions (program_id, version, config_version, document, recorded_at)
SELECT program_id, version, config_version,
       '{"auto_enrol": false, "rounding": "floor", "holdout_percent": 0}'::jsonb || settings || jsonb_build_object(
           'code', code, 'name', name, 'currency', currency, 'time_zone', time_zone, 'locale', locale,
           'sandbox', sandbox,
           'earn', '{"tax": "included", "shipping": false, "points_paid": false}'
                   || coalesce(settings->'earn', '{}'),
           'stacking', '{"base": "sum", "multiplier": "product"}' || coalesce(settings->'stacking', '{}'),
           'returns', '{"policy": "clamp", "grace_days": 30, "max_debt": null}' || coalesce(settings->'returns', '{}'),
           'reinstatement', '{"window_days": 90, "valid_days": 30}' || coalesce(settings->'reinstatement', '{}'),
           'pay', '{"points": 1, "amount": 1, "min_points": 0, "max_percent": 100, "step": 1}'
                  || coalesce(settings->'pay', '{}'),
           'units', '{"points": {"activation": {"mode": "immediate"}, "expiry": {"mode": "rolling", "months": 12}}}'
                    || coalesce(settings->'units', '{}')),
       now()
FROM programs;
UPDATE rewards r SET stock = s.remaining
FROM reward_stock s WHERE s.program_id = r.program_id AND s.code = r.code;
"""

APPEND_ONLY = """
ALTER TABLE rewards ADD CONSTRAINT ck_rewards_stock_when_limited CHECK (limited = (stock IS NOT NULL));
CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER program_versions_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON program_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
"""


def upgrade() -> None:
    """Apply."""
    for statements in (TABLES, BACKFILL, APPEND_ONLY):
        op.execute(statements)


def downgrade() -> None:
    """Take back. What was audited is lost."""
    op.execute("ALTER TABLE rewards DROP CONSTRAINT ck_rewards_stock_when_limited, DROP COLUMN stock")
    op.execute("DROP TABLE program_versions, audit_log")
