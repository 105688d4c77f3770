"""Every table of every slice, for the migrations."""

from loyalty.access import models as access
from loyalty.activities import models as activities
from loyalty.audit import models as audit
from loyalty.db.base import Base
from loyalty.earning import models as earning
from loyalty.events import models as events
from loyalty.features import models as features
from loyalty.feedback import models as feedback
from loyalty.ledger import models as ledger
from loyalty.members import models as members
from loyalty.notifications import models as notifications
from loyalty.offers import models as offers
from loyalty.orders import models as orders
from loyalty.outcomes import models as outcomes
from loyalty.payments import models as payments
from loyalty.personalisation import segment_models as segments
from loyalty.programs import models as programs
from loyalty.rehearsals import models as rehearsals
from loyalty.rewards import models as rewards
from loyalty.rollups import models as rollups
from loyalty.rules import models as rules
from loyalty.templates import models as templates
from loyalty.tiers import models as tiers
from loyalty.vouchers import models as vouchers
from loyalty.web import idempotency, throttling
from loyalty.webhooks import models as webhooks

SLICES_WITH_TABLES = (
    programs, audit, events, access, members, ledger, features, rules, offers, tiers, earning, vouchers, payments,
    rewards, segments, orders, activities, feedback, notifications, templates, webhooks, rehearsals, rollups, outcomes,
    idempotency, throttling,
)  # fmt: skip
METADATA = Base.metadata
