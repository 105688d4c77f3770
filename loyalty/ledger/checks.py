"""What must hold of the books: each check is a statement that says what is expected and what is found.

The rows in which these differ are findings, so the database does the work and only findings travel. `{accounts}`,
`{entries}` … stand for the rows in question. Entries and allocations are what happened; all else follows from them.
"""

# The columns that every check answers: whose and where, and what is expected and found.
COLUMNS = ("member_id", "seq", "unit", "expected", "found")

_SUMS = """
sum(available)::bigint AS available, sum(pending)::bigint AS pending, sum(held)::bigint AS held,
sum(debt)::bigint AS debt,
sum(CASE WHEN kind IN ('earn', 'reverse', 'debt') THEN points WHEN kind = 'transfer_in'
    THEN coalesce((detail ->> 'lifetime_earned')::bigint, 0) ELSE 0 END)::bigint AS earned,
sum(CASE WHEN kind IN ('redeem', 'return_spent') THEN -points WHEN kind = 'transfer_in'
    THEN coalesce((detail ->> 'lifetime_spent')::bigint, 0) ELSE 0 END)::bigint AS spent
"""

# What an account is, by its entries.
ACCOUNTS = f"""
SELECT member_id, unit, {_SUMS}, max(seq) AS last_seq, max(occurred_at) AS latest_at, max(known_at) AS known_at
FROM {{entries}} x GROUP BY member_id, unit"""

# What a lot is, by the entry that opened it, the one that let it mature, and what was taken.
LOTS = """
SELECT e.member_id, e.seq, e.unit, e.available + e.pending + coalesce(x.points, 0) AS points,
       CASE WHEN m.seq IS NULL THEN e.pending > 0 ELSE false END AS pending,
       CASE WHEN m.seq IS NULL THEN e.matures_at ELSE m.matures_at END AS matures_at,
       CASE WHEN m.seq IS NULL THEN e.expires_at ELSE m.expires_at END AS expires_at,
       (e.detail ->> 'deadline_at')::timestamptz AS deadline_at,
       CASE WHEN m.seq IS NULL OR e.detail ->> 'expiry' LIKE 'inactivity%%' THEN e.detail ->> 'expiry' END AS expiry,
       e.available + e.pending + coalesce(x.points, 0) - coalesce(t.points, 0) AS remaining,
       coalesce(t.held, 0) AS held
FROM {entries} e
LEFT JOIN (SELECT member_id, seq, sum(points)::bigint AS points FROM {allocations} a GROUP BY member_id, seq) x
    ON x.member_id = e.member_id AND x.seq = e.seq
LEFT JOIN (SELECT member_id, lot_seq, sum(points)::bigint AS points, sum(held)::bigint AS held
           FROM {allocations} a GROUP BY member_id, lot_seq) t ON t.member_id = e.member_id AND t.lot_seq = e.seq
LEFT JOIN (SELECT member_id, seq, matures_at, expires_at,
                  CASE WHEN reference ~ '^[0-9]{{1,18}}$' THEN reference::bigint END AS lot_seq
           FROM {entries} a WHERE kind = 'mature') m ON m.member_id = e.member_id AND m.lot_seq = e.seq
WHERE e.available + e.pending + coalesce(x.points, 0) <> 0"""

# What is to come, by the lots.
UPCOMING = """
SELECT member_id, unit, at, sum(maturing)::bigint AS maturing, sum(expiring)::bigint AS expiring FROM (
    SELECT member_id, unit, matures_at AS at, remaining AS maturing, 0 AS expiring FROM {lots} x
    WHERE pending AND remaining > 0 AND matures_at IS NOT NULL
    UNION ALL
    SELECT member_id, unit, expires_at, 0, remaining FROM {lots} x
    WHERE remaining > 0 AND expires_at IS NOT NULL) u GROUP BY member_id, unit, at"""

# The next change of an account, by its lots, its holds and its clocks of inactivity.
NEXT_CHANGES = """
SELECT member_id, unit, min(at) AS at FROM (
    SELECT member_id, unit, CASE WHEN pending THEN coalesce(matures_at, deadline_at) ELSE expires_at END AS at
    FROM {lots} x WHERE remaining > 0
    UNION ALL
    SELECT member_id, unit, expires_at FROM {holds} x WHERE status = 'held'
    UNION ALL
    SELECT a.member_id, a.unit, (c.value ->> 'at')::timestamptz FROM {accounts} a, jsonb_each(a.idle) c
    WHERE (c.value ->> 'points')::bigint > 0) n
WHERE at IS NOT NULL GROUP BY member_id, unit"""

# What is still owed of a debt, by the entries.
DEBTS = """
SELECT e.member_id, e.seq, e.unit, e.debt AS points, e.debt + coalesce(p.debt, 0) AS remaining
FROM {entries} e LEFT JOIN (
    SELECT member_id, coalesce(CASE WHEN kind = 'debt_paid' THEN reference END, detail ->> 'debt') AS debt_seq,
           sum(debt)::bigint AS debt
    FROM {entries} x WHERE debt < 0 GROUP BY 1, 2) p ON p.member_id = e.member_id AND p.debt_seq = e.seq::text
WHERE e.debt > 0"""

# check -> (what it means, a query)
CHECKS: dict[str, tuple[str, str]] = {
    "account-equals-entries": (
        "The account is not the sum of its entries.",
        f"""
        SELECT coalesce(a.member_id, e.member_id) AS member_id, coalesce(a.last_seq, e.last_seq) AS seq,
               coalesce(a.unit, e.unit) AS unit,
               CASE WHEN e.unit IS NOT NULL THEN jsonb_build_array(e.available, e.pending, e.held, e.debt, e.earned,
                   e.spent, e.last_seq, e.latest_at, e.known_at) END AS expected,
               CASE WHEN a.unit IS NOT NULL THEN jsonb_build_array(a.available, a.pending, a.held, a.debt,
                   a.lifetime_earned, a.lifetime_spent, a.last_seq, a.latest_at, a.known_at) END AS found
        FROM {{accounts}} a FULL JOIN ({ACCOUNTS}) e ON e.member_id = a.member_id AND e.unit = a.unit""",
    ),
    "account-equals-lots": (
        "The account is not the sum of its lots.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit,
               ARRAY[coalesce(l.available, 0), coalesce(l.pending, 0), coalesce(l.held, 0)] AS expected,
               ARRAY[a.available, a.pending, a.held] AS found
        FROM {accounts} a LEFT JOIN (
            SELECT member_id, unit, sum(remaining) FILTER (WHERE NOT pending)::bigint AS available,
                   sum(remaining) FILTER (WHERE pending)::bigint AS pending, sum(held)::bigint AS held
            FROM {lots} x GROUP BY member_id, unit) l ON l.member_id = a.member_id AND l.unit = a.unit""",
    ),
    "account-equals-holds": (
        "What the account holds back is not the sum of its open holds.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit, coalesce(h.points, 0) AS expected, a.held AS found
        FROM {accounts} a LEFT JOIN (
            SELECT member_id, unit, sum(points)::bigint AS points FROM {holds} x WHERE status = 'held'
            GROUP BY member_id, unit) h ON h.member_id = a.member_id AND h.unit = a.unit""",
    ),
    "account-equals-debts": (
        "What the account owes is not the sum of its debts.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit, coalesce(d.remaining, 0) AS expected, a.debt AS found
        FROM {accounts} a LEFT JOIN (
            SELECT member_id, unit, sum(remaining)::bigint AS remaining FROM {debts} x GROUP BY member_id, unit) d
            ON d.member_id = a.member_id AND d.unit = a.unit""",
    ),
    "account-knows-what-comes": (
        "The account expects its next change later than something falls due.",
        # It may expect it sooner: the lot that was to lapse has been spent.
        f"""
        SELECT a.member_id, a.last_seq AS seq, a.unit, n.at AS expected,
               CASE WHEN a.next_change_at <= n.at THEN n.at ELSE a.next_change_at END AS found
        FROM {{accounts}} a JOIN ({NEXT_CHANGES}) n ON n.member_id = a.member_id AND n.unit = a.unit""",
    ),
    "account-counts-what-is-idle": (
        "The points that lapse by inactivity are not those of the lots.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit, coalesce(l.points, '{{}}') AS expected, coalesce((
               SELECT jsonb_object_agg(c.key, (c.value ->> 'points')::bigint) FROM jsonb_each(a.idle) c
               WHERE (c.value ->> 'points')::bigint <> 0), '{{}}') AS found
        FROM {accounts} a LEFT JOIN (
            SELECT member_id, unit, jsonb_object_agg(expiry, points) AS points FROM (
                SELECT member_id, unit, expiry, sum(remaining)::bigint AS points FROM {lots} x
                WHERE expiry IS NOT NULL AND NOT pending AND remaining > 0 GROUP BY member_id, unit, expiry) y
            GROUP BY member_id, unit) l ON l.member_id = a.member_id AND l.unit = a.unit""",
    ),
    "account-of-its-program": (
        "The account is not in the program of its member.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit, m.program_id AS expected, a.program_id AS found
        FROM {accounts} a LEFT JOIN members m ON m.member_id = a.member_id""",
    ),
    "lot-follows-from-entries": (
        "A lot is not what the entries made of it.",
        f"""
        SELECT coalesce(l.member_id, x.member_id) AS member_id, coalesce(l.seq, x.seq) AS seq,
               coalesce(l.unit, x.unit) AS unit,
               CASE WHEN x.seq IS NOT NULL THEN jsonb_build_array(x.unit, x.points, x.remaining, x.held, x.pending,
                   x.matures_at, x.deadline_at, x.expires_at, x.expiry) END AS expected,
               CASE WHEN l.seq IS NOT NULL THEN jsonb_build_array(l.unit, l.points, l.remaining, l.held, l.pending,
                   l.matures_at, l.deadline_at, l.expires_at, l.expiry) END AS found
        FROM {{lots}} l FULL JOIN ({LOTS}) x ON x.member_id = l.member_id AND x.seq = l.seq""",
    ),
    "lot-earned-with-its-entry": (
        "Points were earned at another time than their entry says.",
        """
        SELECT l.member_id, l.seq, l.unit, CASE WHEN e.kind = 'earn' THEN e.occurred_at
                   ELSE least(e.occurred_at, l.earned_at) END AS expected, l.earned_at AS found
        FROM {lots} l JOIN {entries} e ON e.member_id = l.member_id AND e.seq = l.seq""",
    ),
    "entry-equals-allocations": (
        "An entry moved other points in lots than in the account.",
        """
        SELECT coalesce(e.member_id, x.member_id) AS member_id, coalesce(e.seq, x.seq) AS seq, e.unit,
               ARRAY[coalesce(e.held, 0), CASE WHEN e.kind IN ('earn', 'adjust', 'transfer_in', 'return_spent',
                   'reinstate') AND l.seq IS NOT NULL THEN 0 ELSE -(e.available + e.pending) END] AS expected,
               ARRAY[coalesce(x.held, 0), coalesce(x.points, 0)] AS found
        FROM {entries} e FULL JOIN (
            SELECT member_id, seq, sum(points)::bigint AS points, sum(held)::bigint AS held
            FROM {allocations} t GROUP BY member_id, seq) x ON x.member_id = e.member_id AND x.seq = e.seq
        LEFT JOIN {lots} l ON l.member_id = e.member_id AND l.seq = e.seq""",
    ),
    "entry-adds-up": (
        "The points of an entry are not its effect on the account.",
        # These only move points between the member's own buckets.
        """
        SELECT member_id, seq, unit,
               CASE WHEN moves THEN ARRAY[available, 0] ELSE ARRAY[effect, effect] END AS expected,
               ARRAY[points, effect] AS found
        FROM (SELECT *, available + pending + held - debt AS effect,
                     kind IN ('mature', 'hold', 'release', 'debt_paid') AS moves FROM {entries} x) e""",
    ),
    "entry-at-its-instant": (
        "Points matured or lapsed at another instant than their lot says.",
        # What lapsed while it was held is gone when it is free.
        """
        SELECT e.member_id, e.seq, e.unit,
               CASE e.kind WHEN 'mature' THEN l.matures_at WHEN 'reverse' THEN l.deadline_at
                   ELSE greatest(l.expires_at, b.back_at) END AS expected, e.occurred_at AS found
        FROM (SELECT *, CASE WHEN reference ~ '^[0-9]{{1,18}}$' THEN reference::bigint END AS lot FROM {entries} x
              WHERE kind IN ('mature', 'expire') OR (kind = 'reverse' AND reason = 'not confirmed in time')) e
        LEFT JOIN {lots} l ON l.member_id = e.member_id AND l.seq = e.lot
        LEFT JOIN LATERAL (
            SELECT max(r.occurred_at) AS back_at FROM allocations t
            JOIN entries r ON r.member_id = t.member_id AND r.seq = t.seq
            WHERE e.kind = 'expire' AND t.member_id = e.member_id AND t.lot_seq = e.lot AND t.points < 0
              AND t.seq < e.seq) b ON true
        WHERE l.expiry IS NULL OR e.kind <> 'expire'""",
    ),
    "running-balance": (
        "The balance after an entry is not the balance before it and its effect.",
        """
        SELECT member_id, seq, unit, available + coalesce(lag(available_after) OVER (
                   PARTITION BY member_id, unit ORDER BY seq), 0) AS expected, available_after AS found
        FROM {entries} e""",
    ),
    "entry-in-time": (
        "An entry is late and does not say so, or was known before the one that precedes it.",
        """
        SELECT member_id, seq, unit, jsonb_build_array(coalesce(occurred_at < max(occurred_at) OVER w, false),
                   greatest(known_at, max(known_at) OVER w)) AS expected, jsonb_build_array(late, known_at) AS found
        FROM {entries} e
        WINDOW w AS (PARTITION BY member_id, unit ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)""",
    ),
    "seq-without-gaps": (
        "A history has a gap.",
        """
        SELECT DISTINCT ON (member_id) member_id, expected AS seq, unit, expected, found FROM (
            SELECT member_id, unit, seq AS found, row_number() OVER (PARTITION BY member_id ORDER BY seq) AS expected
            FROM {entries} x) e
        WHERE expected <> found ORDER BY member_id, found""",
    ),
    "hold-follows-from-entries": (
        "A hold is not what the entries say of it.",
        """
        SELECT h.member_id, h.seq, h.unit,
               jsonb_build_array(e.kind, e.unit, e.held, e.reference, coalesce(c.captured, 0), e.occurred_at,
                   CASE WHEN h.status = 'held' THEN 0 ELSE h.points END, h.status = 'captured') AS expected,
               jsonb_build_array('hold', h.unit, h.points, h.hold_id, h.captured, h.held_at,
                   coalesce(c.resolved, 0), h.captured > 0) AS found
        FROM {holds} h LEFT JOIN {entries} e ON e.member_id = h.member_id AND e.seq = h.seq
        LEFT JOIN (
            SELECT member_id, reference, -sum(held)::bigint AS resolved,
                   -sum(held) FILTER (WHERE kind = 'redeem')::bigint AS captured
            FROM {entries} x WHERE held < 0 GROUP BY member_id, reference) c
            ON c.member_id = h.member_id AND c.reference = h.hold_id""",
    ),
    "debt-follows-from-entries": (
        "A debt is not what was incurred less what was paid.",
        f"""
        SELECT coalesce(d.member_id, x.member_id) AS member_id, coalesce(d.seq, x.seq) AS seq,
               coalesce(d.unit, x.unit) AS unit,
               CASE WHEN x.seq IS NOT NULL THEN jsonb_build_array(x.unit, x.points, x.remaining) END AS expected,
               CASE WHEN d.seq IS NOT NULL THEN jsonb_build_array(d.unit, d.points, d.remaining) END AS found
        FROM {{debts}} d FULL JOIN ({DEBTS}) x ON x.member_id = d.member_id AND x.seq = d.seq""",
    ),
    "upcoming-equals-lots": (
        "What is said to mature and to lapse at an instant is not what the lots say.",
        f"""
        SELECT coalesce(u.member_id, x.member_id) AS member_id, NULL::bigint AS seq, coalesce(u.unit, x.unit) AS unit,
               jsonb_build_array(coalesce(u.at, x.at), coalesce(x.maturing, 0), coalesce(x.expiring, 0)) AS expected,
               jsonb_build_array(coalesce(u.at, x.at), coalesce(u.maturing, 0), coalesce(u.expiring, 0)) AS found
        FROM {{upcoming}} u FULL JOIN ({UPCOMING}) x ON x.member_id = u.member_id AND x.unit = u.unit AND x.at = u.at
        """,
    ),
    "checkpoint-equals-entries": (
        "A checkpoint is not the sum of the entries before it.",
        f"""
        SELECT coalesce(c.member_id, x.member_id) AS member_id, coalesce(c.seq, x.seq) AS seq,
               coalesce(c.unit, x.unit) AS unit,
               jsonb_build_array({
            ", ".join(
                f"coalesce(sum(x.{name}) OVER w, 0)"
                for name in ("available", "pending", "held", "debt", "earned", "spent")
            )
        },
                   max(x.latest_at) OVER w, max(x.known_at) OVER w) AS expected,
               jsonb_build_array(c.available, c.pending, c.held, c.debt, c.lifetime_earned, c.lifetime_spent,
                   c.latest_at, c.known_at) AS found
        FROM {{checkpoints}} c FULL JOIN (
            SELECT y.* FROM (
                SELECT member_id, unit, (seq + 63) / 64 * 64 AS seq, {_SUMS}, max(occurred_at) AS latest_at,
                       max(known_at) AS known_at
                FROM {{entries}} e GROUP BY member_id, unit, (seq + 63) / 64) y
            JOIN (SELECT member_id, max(seq) AS last_seq FROM {{entries}} e GROUP BY member_id) z
                ON z.member_id = y.member_id AND y.seq <= z.last_seq) x
            ON x.member_id = c.member_id AND x.unit = c.unit AND x.seq = c.seq
        WINDOW w AS (PARTITION BY coalesce(c.member_id, x.member_id), coalesce(c.unit, x.unit)
                     ORDER BY coalesce(c.seq, x.seq))""",
    ),
}

# Sums over everybody in question, unit by unit, that must be zero; they are added up batch by batch.
TOTALS: dict[str, tuple[str, str]] = {
    "postings-sum-to-zero": (
        "Debits and credits of a unit do not cancel out.",
        "SELECT unit, sum(points)::bigint FROM {ledger_postings} p GROUP BY unit",
    ),
    "transfers-cancel-out": (
        "What members gave and what members got differ.",
        "SELECT unit, sum(points)::bigint FROM {entries} e WHERE kind IN ('transfer_in', 'transfer_out') GROUP BY unit",
    ),
}
