# SPDX-License-Identifier: MIT
"""Medians, spreads, and what may be said of two series of the same rounds."""


class Spread:
    """Median and quartiles of some values."""

    def __init__(self, values):
        values = sorted(values)
        self.count = len(values)
        self.low, self.median, self.high = (quantile(values, q) for q in (0.25, 0.5, 0.75))

    @property
    def relative(self):
        """Distance of the quartiles, as a part of the median."""
        return (self.high - self.low) / self.median if self.median else 0.0


def quantile(values, q):
    """Of a sorted list, between two of its values where the place is between them."""
    at = q * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (at - low) * (values[high] - values[low])


def ratio(series, base):
    """How many times as much as `base`, round by round; both are {round: value}. None: no common round."""
    values = [series[r] / base[r] for r in series if r in base and base[r] > 0]
    return Spread(values) if values else None


ROUNDS = 3  # fewer have no quartiles to speak of


def verdict(times, noise_of_run):
    """
    What a ratio, of the other's cost to ours, allows to say: "ahead" or "behind" only if the quartiles and the
    noise of the run both do, else "level".
    """
    if times.count < ROUNDS:
        return "level"
    if times.low > 1 and times.median > 1 + noise_of_run:
        return "ahead"
    if times.high < 1 and times.median < 1 / (1 + noise_of_run):
        return "behind"
    return "level"


def slower(times, noise_of_run, limit=1.03):
    """Whether a ratio, of the old cost to ours, is worse than the limit by more than the spread and the noise."""
    return times.count >= ROUNDS and times.high < 1 / limit and times.median < 1 / (limit + noise_of_run)
