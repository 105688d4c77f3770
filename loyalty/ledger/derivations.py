"""What accounts, lots, holds, debts and all else are by the entries and allocations: the expected side of the checks.

Statements over `{entries}`, `{lots}` … the rows in question.
"""

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
SELECT e.member_id, e.seq, e.unit, e.debt AS points, e.debt + coalesce(p.debt, 0) AS remaining,
       e.occurred_at AS incurred_at, e.order_id, e.kind, e.reference
FROM {entries} e LEFT JOIN (
    SELECT member_id, coalesce(CASE WHEN kind = 'debt_paid' THEN reference END, detail ->> 'debt') AS debt_seq,
           sum(debt)::bigint AS debt
    FROM {entries} x WHERE debt < 0 GROUP BY 1, 2) p ON p.member_id = e.member_id AND p.debt_seq = e.seq::text
WHERE e.debt > 0"""


# What became of a hold, by the entry that made it and those that resolved it.
HOLDS = """
SELECT e.member_id, e.seq, e.unit, e.reference AS hold_id, e.held AS points, e.occurred_at AS held_at, e.expires_at,
       e.reason, coalesce(r.captured, 0) AS captured, r.resolved_at, coalesce(r.order_id, e.order_id) AS order_id,
       CASE WHEN r.resolved_at IS NULL THEN 'held' WHEN r.captured > 0 THEN 'captured'
           WHEN r.resolved_at = e.expires_at THEN 'expired' ELSE 'released' END AS status,
       coalesce(r.points, 0) AS resolved
FROM {entries} e LEFT JOIN (
    SELECT member_id, reference, unit, -sum(held)::bigint AS points, max(occurred_at) AS resolved_at,
           -sum(held) FILTER (WHERE kind = 'redeem')::bigint AS captured,
           max(order_id) FILTER (WHERE kind = 'redeem') AS order_id
    FROM {entries} x WHERE held < 0 GROUP BY 1, 2, 3) r
    ON r.member_id = e.member_id AND r.reference = e.reference AND r.unit = e.unit
WHERE e.held > 0"""

# The sums at every 64th entry of a member, of each unit that was held by then.
CHECKPOINTS = f"""
SELECT g.member_id, g.unit, g.seq, {
    ", ".join(
        f"coalesce(sum(y.{name}) OVER w, 0) AS {name}"
        for name in ("available", "pending", "held", "debt", "earned", "spent")
    )
}, max(y.latest_at) OVER w AS latest_at, max(y.known_at) OVER w AS known_at
FROM (
    SELECT u.member_id, u.unit, s.seq FROM (
        SELECT member_id, unit, min(seq) AS first_seq, max(max(seq)) OVER (PARTITION BY member_id) AS last_seq
        FROM {{entries}} x GROUP BY member_id, unit) u
    CROSS JOIN LATERAL generate_series((u.first_seq + 63) / 64 * 64, u.last_seq, 64) s (seq)) g
LEFT JOIN (
    SELECT member_id, unit, (seq + 63) / 64 * 64 AS seq, {_SUMS}, max(occurred_at) AS latest_at,
           max(known_at) AS known_at
    FROM {{entries}} e GROUP BY member_id, unit, (seq + 63) / 64) y
    ON y.member_id = g.member_id AND y.unit = g.unit AND y.seq = g.seq
WINDOW w AS (PARTITION BY g.member_id, g.unit ORDER BY g.seq)"""
