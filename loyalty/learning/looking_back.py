"""What became of members: how each bought some time ago, and what came since, read for the nightly count."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from loyalty.db.session import Session
from loyalty.features import keeping
from loyalty.features.outlook import AHEAD
from loyalty.learning import gathering
from loyalty.learning.contributions import learn
from loyalty.learning.foreseeing import Seen, seen


def look(session: Session, members: Sequence[UUID], *, now: datetime) -> list[Seen]:
    """Those of some members who had bought something by then.

    Sums are exact, so they were what they are without what was added since. Goods that came back are taken for such
    as were never bought, whenever they did.
    """
    then = now - AHEAD
    since = learn(gathering.orders_since(session, gathering.families(session, members), then)).members
    sums = keeping.members(session, members)
    found = (seen(each, since.get(member_id), then) for member_id, each in sums.items())
    return [each for each in found if each is not None]
