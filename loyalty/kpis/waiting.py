"""Members by number, and how long they waited from enrolment to their first redemption. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from loyalty.kpis.domain import Row, ratio
from loyalty.kpis.folding import Folds

_Whole = TypeVar("_Whole", np.uint16, np.int32)

_NEVER = -1


def numbers_of(members: BitMap) -> npt.NDArray[np.uint32]:
    """The numbers in a set."""
    return np.frombuffer(members.to_array(), np.uint32) if members else np.zeros(0, np.uint32)


def by_number(said: Iterable[tuple[BitMap, int]], *, none: int, kind: type[_Whole]) -> npt.NDArray[_Whole]:
    """What is said of each member, by number; the last word counts. What comes last is of all with higher numbers."""
    known = [(members, value) for members, value in said if members]
    found = np.full(2 + max((members.max() for members, _ in known), default=0), none, kind)
    for members, value in known:
        found[numbers_of(members)] = value
    return found


class Waits:
    """How long members waited from enrolment to their first redemption, by their numbers."""

    def __init__(self, folds: Folds, first: date | None, last: date) -> None:
        # Who enrolled from a day on has redeemed nothing before it.
        self._began, self._redeemed = (
            _first_days(folds.by_day(name, first, last)) for name in ("enrolled", "redeemers")
        )

    def row(self, members: BitMap) -> Row:
        """What is said of some members."""
        numbers = numbers_of(members)
        began, redeemed = (days.take(numbers, mode="clip") for days in (self._began, self._redeemed))
        known = redeemed != _NEVER
        # A merged member may have redeemed before the one enrolled who stayed.
        waits = np.sort(np.maximum(redeemed - began, 0)[known & (began != _NEVER)])
        size, count = len(numbers), int(known.sum())
        half = (size + 1) // 2
        return {
            "size": size,
            "redeemed": count,
            "redeemed_share": ratio(count, size),
            "mean_days": round(float(waits.mean()), 6) if len(waits) else None,
            "median_days": _median(waits) if len(waits) else None,
            "half_redeemed_after": float(waits[half - 1]) if 0 < half <= len(waits) else None,
        }

    def median_within(self, first: date, last: date) -> float | None:
        """The median days that those waited whose first redemption fell within some days."""
        everybody = np.arange(max(len(self._began), len(self._redeemed)))
        began, redeemed = (days.take(everybody, mode="clip") for days in (self._began, self._redeemed))
        within = (redeemed >= first.toordinal()) & (redeemed < last.toordinal()) & (began != _NEVER)
        waits = np.sort(np.maximum(redeemed - began, 0)[within])
        return _median(waits) if len(waits) else None


def _median(sorted_: npt.NDArray[np.int32]) -> float:
    return float(sorted_[(len(sorted_) - 1) // 2] + sorted_[len(sorted_) // 2]) / 2


def _first_days(by_day: Mapping[date, BitMap]) -> npt.NDArray[np.int32]:
    """The first day on which each member is in a set, by number."""
    # From the last day to the first, which so has the last word.
    last_first = ((by_day[day], day.toordinal()) for day in sorted(by_day, reverse=True))
    return by_number(last_first, none=_NEVER, kind=np.int32)
