"""Round numbers for an axis. Pure."""

from dataclasses import dataclass
from math import ceil, floor, log10

# About so many lines lie behind a picture.
LINES = 5
# What is less than this is no difference.
NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`, with a line every `step`: 1, 2 or 5 times a power of ten."""

    low: float
    high: float
    step: float

    @property
    def ticks(self) -> tuple[float, ...]:
        """The numbers at the lines, from below."""
        count = round((self.high - self.low) / self.step)
        return tuple(round(self.low + number * self.step, 10) for number in range(count + 1))

    def share(self, value: float) -> float:
        """How far up a value is: 0 at `low`, 1 at `high`."""
        return (value - self.low) / (self.high - self.low)


def scale_of(least: float, most: float, *, whole: bool = False) -> Scale:
    """The axis for values from `least` to `most`. Zero is always on it; `whole`: no line is at half a thing."""
    low, high = min(least, 0.0), max(most, 0.0)
    if high - low < NOTHING:
        low, high = 0.0, 1.0
    rough = (high - low) / LINES
    power = 10.0 ** floor(log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough * 0.999_999)
    if whole:
        step = max(step, 1.0)
    return Scale(floor(low / step + NOTHING) * step, ceil(high / step - NOTHING) * step, step)
