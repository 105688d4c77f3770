"""Two members become one: what counted for the one counts for the other, and a tier that was granted stays granted."""

from dataclasses import replace
from datetime import datetime

from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from loyalty.tiers import queries, reading
from loyalty.tiers.keeping import changes_of, day_of
from loyalty.tiers.models import TierDayRow
from loyalty.tiers.progress import Progress
from loyalty.tiers.reading import Asked
from loyalty.tiers.settlement import freeze
from loyalty.tiers.standing import anew


def merged(session: Session, program: Program, source: LockedMember, target: LockedMember, *, now: datetime) -> Changes:
    """The rows of what moves. All that ever counted is read: two courses become one, from the beginning."""
    ladders = queries.ladders(session, program)
    asked = [Asked(member.member_id, member.enrolled_at, None) for member in (source, target)]
    found = reading.whole(session, ladders, asked, now=now)
    giver, taker = found[source.member_id], found[target.member_id]
    changes = Changes()
    for bucket, amounts in sorted(giver.progress.days.items()):
        changes.add(day_of(target.member_id, bucket, amounts))
    if giver.progress.days:
        last = max(day for day, _ in giver.progress.days)
        changes.delete_until(TierDayRow, {"member_id": source.member_id, "day": last})
    if giver.last_number:
        freeze(session, source)
    days = dict(taker.progress.days)
    for bucket, amounts in giver.progress.days.items():
        days[bucket] = days[bucket] + amounts if bucket in days else amounts
    progress = Progress(giver.progress.total + taker.progress.total, days)
    # What was imported is a part of the course, also when its validity is over: it may have been kept since.
    lasting = [g for g in giver.grants if g.kind == "imported" or g.until is None or g.until > now]
    grants = tuple(replace(g, grant_id=None) for g in lasting)
    taker = replace(taker, progress=progress, grants=(*taker.grants, *grants))
    taker = anew(taker, ladders, cause="merge", reference=source.customer_id, now=now)
    changes.add(changes_of(taker, ladders, program.program_id, target.customer_id, now=now))
    return changes
