"""What falls due within some days is found by the instant, and by the member where many fall due at once."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Apply."""
    op.execute("""
        -- The instants are written with their offset, so that what they are depends on no setting.
        CREATE FUNCTION first_lapse(idle jsonb) RETURNS timestamptz
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
            SELECT min((c.value ->> 'at')::timestamptz) FROM jsonb_each(idle) c
            WHERE (c.value ->> 'points')::bigint > 0
        $$;
        CREATE INDEX ix_upcoming_due ON upcoming (at, member_id) WHERE unit = 'points';
        CREATE INDEX ix_accounts_idle ON accounts (first_lapse(idle), member_id)
        WHERE unit = 'points' AND idle <> '{}'::jsonb;
        DROP INDEX ix_tier_standings_next_change_at;
        CREATE INDEX ix_tier_standings_next_change_at ON tier_standings (next_change_at, member_id)
        WHERE next_change_at IS NOT NULL;
        -- What was earned before there were messages was not told as facts: the first statement is of this month.
        INSERT INTO sweeps (name, scope, finished_at, data)
        SELECT 'balance_statement', program_id, now(), jsonb_build_object('month', to_char(
            date_trunc('month', (now() + clock_ahead) AT TIME ZONE time_zone) - interval '1 month', 'YYYY-MM'))
        FROM programs;
    """)


def downgrade() -> None:
    """Take back: the sweeps begin again."""
    op.execute("""
        DELETE FROM sweeps;
        DROP INDEX ix_tier_standings_next_change_at;
        CREATE INDEX ix_tier_standings_next_change_at ON tier_standings (next_change_at)
        WHERE next_change_at IS NOT NULL;
        DROP INDEX ix_accounts_idle, ix_upcoming_due;
        DROP FUNCTION first_lapse(jsonb);
    """)
