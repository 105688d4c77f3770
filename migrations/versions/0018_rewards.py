"""The catalogue with drafts and history, redemptions in two phases, and what of the stock is kept for them."""

from alembic import op

revision = "0018"
down_revision = "0017"

# What a reward was made of before; the rest has defaults.
OF_OLD = "'name', name, 'type', type, 'points', points, 'value', value, 'fulfilment', fulfilment"

CATALOGUE = f"""
ALTER TABLE rewards ADD COLUMN withdrawn boolean DEFAULT false NOT NULL, ADD COLUMN content jsonb;
ALTER TABLE rewards ALTER COLUMN withdrawn DROP DEFAULT;
UPDATE rewards SET content = jsonb_build_object({OF_OLD}, 'valid_from', valid_from, 'valid_to', valid_to);
ALTER TABLE rewards ALTER COLUMN content SET NOT NULL;
ALTER TABLE rewards DROP CONSTRAINT ck_rewards_points_positive, DROP CONSTRAINT ck_rewards_stock_when_limited,
    DROP COLUMN name, DROP COLUMN type, DROP COLUMN points, DROP COLUMN value, DROP COLUMN limited,
    DROP COLUMN valid_from, DROP COLUMN valid_to, DROP COLUMN fulfilment;

CREATE TABLE reward_versions (
    program_id uuid NOT NULL,
    code text NOT NULL,
    version bigint NOT NULL,
    withdrawn boolean NOT NULL,
    content jsonb NOT NULL,
    stock bigint,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT pk_reward_versions PRIMARY KEY (program_id, code, version)
);
INSERT INTO reward_versions SELECT program_id, code, version, false, content, stock, updated_at, 'command line'
FROM rewards;

CREATE TABLE reward_drafts (
    program_id uuid NOT NULL,
    code text NOT NULL,
    version bigint NOT NULL,
    content jsonb,
    stock bigint,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_reward_drafts PRIMARY KEY (program_id, code),
    CONSTRAINT fk_reward_drafts_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id)
);

CREATE TABLE stock_holds (
    member_id uuid NOT NULL,
    redemption_id text NOT NULL,
    program_id uuid NOT NULL,
    reward_code text NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_stock_holds PRIMARY KEY (member_id, redemption_id)
);
CREATE INDEX ix_stock_holds_reward ON stock_holds (program_id, reward_code, expires_at);
"""

# All of them were confirmed at once; the entry is found by what it refers to.
REDEMPTIONS = """
ALTER TABLE redemptions
    ADD COLUMN fulfilment text DEFAULT 'none' NOT NULL, ADD COLUMN took_stock boolean DEFAULT false NOT NULL,
    ADD COLUMN expires_at timestamptz, ADD COLUMN confirmed_at timestamptz, ADD COLUMN fulfilled_at timestamptz,
    ADD COLUMN closed_at timestamptz, ADD COLUMN entry_seq bigint, ADD COLUMN reference text, ADD COLUMN reason text;
ALTER TABLE redemptions ALTER COLUMN fulfilment DROP DEFAULT, ALTER COLUMN took_stock DROP DEFAULT;
UPDATE redemptions r SET confirmed_at = r.redeemed_at, entry_seq = e.seq,
    fulfilment = CASE WHEN r.voucher_code IS NULL THEN 'none' ELSE 'code' END
FROM entries e WHERE e.member_id = r.member_id AND e.kind = 'redeem' AND e.reference = r.redemption_id;
UPDATE redemptions r SET took_stock = true FROM rewards w
WHERE w.program_id = r.program_id AND w.code = r.reward_code AND w.stock IS NOT NULL;
ALTER TABLE redemptions
    ADD CONSTRAINT ck_redemptions_confirmed_when
        CHECK ((status IN ('confirmed', 'fulfilled')) <= (confirmed_at IS NOT NULL)),
    ADD CONSTRAINT ck_redemptions_confirmed_by_an_entry CHECK ((confirmed_at IS NULL) = (entry_seq IS NULL)),
    ADD CONSTRAINT ck_redemptions_fulfilled_when CHECK ((status = 'fulfilled') <= (fulfilled_at IS NOT NULL)),
    ADD CONSTRAINT ck_redemptions_closed_when
        CHECK ((status IN ('cancelled', 'expired')) = (closed_at IS NOT NULL)),
    ADD CONSTRAINT ck_redemptions_held_until CHECK ((status IN ('held', 'expired')) <= (expires_at IS NOT NULL));
CREATE INDEX ix_redemptions_counted ON redemptions (member_id, reward_code, redeemed_at)
    WHERE status IN ('held', 'confirmed', 'fulfilled');
CREATE INDEX ix_redemptions_expires_at ON redemptions (expires_at) WHERE status = 'held';
CREATE INDEX ix_redemptions_of_member ON redemptions (member_id, redeemed_at, redemption_id);
CREATE INDEX ix_redemptions_of_program ON redemptions (program_id, status, redeemed_at, redemption_id);
"""


def upgrade() -> None:
    op.execute(CATALOGUE)
    op.execute(REDEMPTIONS)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_redemptions_counted, ix_redemptions_expires_at, ix_redemptions_of_member,
            ix_redemptions_of_program;
        ALTER TABLE redemptions DROP CONSTRAINT ck_redemptions_confirmed_when,
            DROP CONSTRAINT ck_redemptions_confirmed_by_an_entry, DROP CONSTRAINT ck_redemptions_fulfilled_when,
            DROP CONSTRAINT ck_redemptions_closed_when, DROP CONSTRAINT ck_redemptions_held_until,
            DROP COLUMN fulfilment, DROP COLUMN took_stock, DROP COLUMN expires_at, DROP COLUMN confirmed_at,
            DROP COLUMN fulfilled_at, DROP COLUMN closed_at, DROP COLUMN entry_seq, DROP COLUMN reference,
            DROP COLUMN reason;
        DROP TABLE stock_holds, reward_drafts, reward_versions;
        ALTER TABLE rewards ADD COLUMN name text, ADD COLUMN type text, ADD COLUMN points bigint,
            ADD COLUMN value jsonb, ADD COLUMN limited boolean, ADD COLUMN valid_from timestamptz,
            ADD COLUMN valid_to timestamptz, ADD COLUMN fulfilment text;
        UPDATE rewards SET name = content ->> 'name', type = content ->> 'type',
            points = (content ->> 'points')::bigint, value = content -> 'value', limited = stock IS NOT NULL,
            valid_from = (content ->> 'valid_from')::timestamptz, valid_to = (content ->> 'valid_to')::timestamptz,
            fulfilment = content ->> 'fulfilment';
        ALTER TABLE rewards ALTER COLUMN name SET NOT NULL, ALTER COLUMN type SET NOT NULL,
            ALTER COLUMN points SET NOT NULL, ALTER COLUMN value SET NOT NULL, ALTER COLUMN limited SET NOT NULL,
            ALTER COLUMN fulfilment SET NOT NULL, DROP COLUMN content, DROP COLUMN withdrawn,
            ADD CONSTRAINT ck_rewards_points_positive CHECK (points > 0),
            ADD CONSTRAINT ck_rewards_stock_when_limited CHECK (limited = (stock IS NOT NULL));
    """)
