"""Ladders, what counts for the tiers of members, and where they stand."""

from alembic import op

revision = "0015"
down_revision = "0014"

TABLES = """
CREATE TABLE ladders (
    program_id uuid NOT NULL,
    version integer NOT NULL,
    ladder jsonb NOT NULL,
    moving text NOT NULL,
    effective_from timestamptz,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT pk_ladders PRIMARY KEY (program_id, version),
    CONSTRAINT ck_ladders_moving_is_known CHECK (moving IN ('now', 'upgrades_only', 'at_validity_end')),
    CONSTRAINT fk_ladders_program_id FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
CREATE TABLE ladder_drafts (
    program_id uuid NOT NULL,
    version bigint NOT NULL,
    ladder jsonb,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_ladder_drafts PRIMARY KEY (program_id),
    CONSTRAINT fk_ladder_drafts_program_id FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
CREATE TABLE tier_days (
    member_id uuid NOT NULL,
    day date NOT NULL,
    ladder_version integer NOT NULL,
    spend bigint NOT NULL,
    points bigint NOT NULL,
    orders bigint NOT NULL,
    CONSTRAINT pk_tier_days PRIMARY KEY (member_id, day, ladder_version)
) WITH (fillfactor = 80);
CREATE TABLE tier_standings (
    member_id uuid NOT NULL,
    program_id uuid NOT NULL,
    tier text NOT NULL,
    tier_since timestamptz NOT NULL,
    ladder_version integer NOT NULL,
    seq bigint NOT NULL,
    spend bigint NOT NULL,
    points bigint NOT NULL,
    orders bigint NOT NULL,
    counts_from date NOT NULL,
    next_change_at timestamptz,
    CONSTRAINT pk_tier_standings PRIMARY KEY (member_id)
) WITH (fillfactor = 80);
CREATE INDEX ix_tier_standings_next_change_at ON tier_standings (next_change_at) WHERE next_change_at IS NOT NULL;
CREATE INDEX ix_tier_standings_program_id_member_id ON tier_standings (program_id, member_id);
CREATE TABLE tier_periods (
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    ladder_version integer NOT NULL,
    tier text NOT NULL,
    since timestamptz NOT NULL,
    reached_on date NOT NULL,
    valid_to date,
    held_to date,
    day date NOT NULL,
    step smallint NOT NULL,
    reason text NOT NULL,
    void boolean DEFAULT false NOT NULL,
    CONSTRAINT pk_tier_periods PRIMARY KEY (member_id, seq),
    CONSTRAINT ck_tier_periods_held_when_valid CHECK ((valid_to IS NULL) = (held_to IS NULL) AND valid_to <= held_to)
);
CREATE INDEX ix_tier_periods_day ON tier_periods (member_id, day) WHERE NOT void;
CREATE TABLE tier_grants (
    member_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    kind text NOT NULL,
    tier text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz,
    reason text NOT NULL,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL,
    CONSTRAINT pk_tier_grants PRIMARY KEY (member_id, grant_id),
    CONSTRAINT ck_tier_grants_kind_is_known CHECK (kind IN ('pinned', 'imported', 'kept')),
    CONSTRAINT ck_tier_grants_lasts CHECK (until IS NULL OR since <= until)
);
CREATE TABLE tier_evaluations (
    member_id uuid NOT NULL,
    evaluation_id uuid NOT NULL,
    as_of timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    cause text NOT NULL,
    reference text,
    ladder_version integer NOT NULL,
    basis text NOT NULL,
    window_from date,
    value bigint NOT NULL,
    old text,
    new text NOT NULL,
    valid_to date,
    reason text NOT NULL,
    CONSTRAINT pk_tier_evaluations PRIMARY KEY (member_id, evaluation_id)
);
CREATE INDEX ix_tier_evaluations_changes ON tier_evaluations (member_id, evaluation_id) WHERE old IS DISTINCT FROM new;
CREATE TABLE ladder_moves (
    program_id uuid NOT NULL,
    version integer NOT NULL,
    effective_from timestamptz NOT NULL,
    after uuid NOT NULL,
    members_done bigint NOT NULL,
    members_total bigint,
    up bigint NOT NULL,
    down bigint NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT pk_ladder_moves PRIMARY KEY (program_id, version),
    CONSTRAINT fk_ladder_moves_program_id FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
CREATE INDEX ix_ladder_moves_due ON ladder_moves (effective_from) WHERE finished_at IS NULL;
CREATE TRIGGER tier_evaluations_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON tier_evaluations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
"""

# Whose an order is today: members may have been merged into others.
OWNERS = """
    SELECT member_id, member_id AS owner_id FROM members WHERE merged_into IS NULL
    UNION ALL
    SELECT m.member_id, o.owner_id FROM owners o JOIN members m ON m.merged_into = o.member_id
"""

# What was bought, line by line, as for the purchase histories (0011). What a shop whose clock runs ahead says of
# tomorrow counts today.
BOUGHT = """
WITH lines AS (
    SELECT o.member_id, o.order_id, least(o.placed_at, o.recorded_at) AS placed_at, o.discount, l->>'line_id' AS line_id,
           (l->>'quantity')::bigint AS quantity,
           coalesce((o.returned->'lines'->>(l->>'line_id'))::bigint, 0) AS returned,
           (l->>'quantity')::numeric * (l->>'unit_price')::numeric - (l->>'discount')::numeric AS net
    FROM orders o CROSS JOIN LATERAL jsonb_array_elements(o.lines) l
    WHERE o.customer_id IS NOT NULL
), shares AS (
    SELECT *, sum(net) OVER w AS nets, CASE WHEN sum(net) OVER w = 0 THEN 0 ELSE div(discount * net, sum(net) OVER w) END
           AS share
    FROM lines WINDOW w AS (PARTITION BY member_id, order_id)
), ranked AS (
    SELECT *, discount - sum(share) OVER w AS left_over,
           row_number() OVER (PARTITION BY member_id, order_id ORDER BY CASE WHEN nets = 0 THEN 0
               ELSE mod(discount * net, nets) END DESC, line_id COLLATE "C") AS place
    FROM shares WINDOW w AS (PARTITION BY member_id, order_id)
)
SELECT member_id, placed_at AS at, count(DISTINCT order_id) AS orders, 0::numeric AS points,
       sum(div((net - share - CASE WHEN place <= left_over THEN 1 ELSE 0 END) * (quantity - returned), quantity)) AS spend
FROM ranked WHERE quantity > returned GROUP BY member_id, order_id, placed_at
"""

# What rules gave in points, less what came back by line: rounded down line by line, as returns take it back.
EARNED = """
SELECT o.member_id, least(o.placed_at, o.recorded_at) AS at, 0 AS orders, sum(e.points - coalesce(b.points, 0)) AS points, 0::numeric AS spend
FROM orders o JOIN entries e ON e.member_id = o.member_id AND e.seq = ANY(o.award_seqs) AND e.unit = 'points'
LEFT JOIN LATERAL (
    SELECT sum(div((a->>'points')::numeric * coalesce((o.returned->'lines'->>(a->>'line_id'))::numeric, 0),
                   (l->>'quantity')::numeric)) AS points
    FROM jsonb_array_elements(e.detail->'lines') a
    JOIN jsonb_array_elements(o.lines) l ON l->>'line_id' = a->>'line_id') b ON true
WHERE o.customer_id IS NOT NULL GROUP BY o.member_id, o.order_id, o.placed_at, o.recorded_at
UNION ALL
SELECT v.member_id, least(v.occurred_at, v.recorded_at), 0, sum(e.points), 0
FROM activities v JOIN entries e ON e.member_id = v.member_id AND e.seq = ANY(v.award_seqs) AND e.unit = 'points'
WHERE v.status = 'recorded' GROUP BY v.member_id, v.activity_id, v.occurred_at, v.recorded_at
"""

# By day of the program's zone.
DAYS = f"""
SELECT o.owner_id AS member_id, (c.at AT TIME ZONE p.time_zone)::date AS day, sum(c.spend)::bigint AS spend,
       sum(c.points)::bigint AS points, sum(c.orders)::bigint AS orders
FROM (SELECT member_id, at, orders, points, spend FROM ({BOUGHT}) x UNION ALL SELECT * FROM ({EARNED}) y) c
JOIN owners o USING (member_id) JOIN members m ON m.member_id = o.owner_id JOIN programs p USING (program_id)
GROUP BY 1, 2
"""

BACKFILL = f"""
INSERT INTO tier_days (member_id, day, ladder_version, spend, points, orders)
WITH RECURSIVE owners (member_id, owner_id) AS ({OWNERS}), days AS ({DAYS})
SELECT member_id, day, 0, spend, points, orders FROM days WHERE (spend, points, orders) <> (0, 0, 0);
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(BACKFILL)


def downgrade() -> None:
    op.execute("""
        DROP TABLE ladder_moves, tier_evaluations, tier_grants, tier_periods, tier_standings, tier_days, ladder_drafts,
            ladders;
    """)
