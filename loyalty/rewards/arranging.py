"""What automatic redemption needs to begin: from how many points on the ledger takes note, and a search for the rest.

The ledger knows of no rewards: it is told a number (`programs.notice_points`). Who has as many already is found by a
search that runs once (`sweeping`), whenever the setting or its reward becomes another.
"""

from datetime import datetime, timedelta
from uuid import UUID

from loyalty.db.session import Session
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.programs.errors import AutoRedeemImpossible
from loyalty.programs.service import follows_settings, set_notice
from loyalty.rewards import catalogue as catalogues
from loyalty.rewards.automatic import GIVES_A_CODE, least_cost
from loyalty.rewards.domain import Reward
from loyalty.rewards.errors import RewardNotFound

# Whoever began to write before the change may not have seen it: by then they have ended, for nobody may take as long.
LEAD = timedelta(minutes=1)
FIRST = UUID(int=0)

_BEGIN = """
INSERT INTO auto_redeem_sweeps (program_id, begins_at, after_member) VALUES (%s, %s, %s)
ON CONFLICT (program_id) DO UPDATE SET begins_at = excluded.begins_at, after_member = excluded.after_member
"""


@follows_settings
def settings_changed(session: Session, before: Program, after: Program, now: datetime) -> None:
    """Begin, end or redirect automatic redemption, where the setting became another. Refuses: AutoRedeemImpossible."""
    if after.auto_redeem == before.auto_redeem:
        return
    if after.auto_redeem is not None:
        _require_possible(session, after, after.auto_redeem.reward, now)
    _arrange(session, after, now=now)


def reward_changed(session: Session, program_id: UUID, code: str, *, now: datetime) -> None:
    """Follow a reward that was published or withdrawn, if it is the one that is redeemed by itself.

    The caller announces it (`programs.touch`).
    """
    program = programs.load(session, program_id)
    if program.auto_redeem is not None and program.auto_redeem.reward == code:
        _arrange(session, program, now=now)


def _require_possible(session: Session, program: Program, code: str, now: datetime) -> None:
    found = _reward(session, program, code, now)
    if found is None or found.withdrawn:
        raise AutoRedeemImpossible(code, "is not published: publish it first.")
    if found.fulfilment not in GIVES_A_CODE:
        raise AutoRedeemImpossible(code, 'gives no code: publish it with "fulfilment": "code" or "pool" first.')


def _arrange(session: Session, program: Program, *, now: datetime) -> None:
    found = program.auto_redeem and _reward(session, program, program.auto_redeem.reward, now)
    possible = found and not found.withdrawn and found.fulfilment in GIVES_A_CODE
    set_notice(session, program.program_id, least_cost(found) if found and possible else None)
    if possible:
        session.run(_BEGIN, (program.program_id, now + LEAD, FIRST))


def _reward(session: Session, program: Program, code: str, now: datetime) -> Reward | None:
    try:
        return catalogues.reward(session, program.program_id, code, now=now)
    except RewardNotFound:
        return None
