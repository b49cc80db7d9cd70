"""How much one resolver is sent, and how long its replies take. Pure: moments are monotonic seconds, and come in.

A packet counts as lost when a later try was answered; silence alone says nothing, or dead names would slow a run down.
"""

from __future__ import annotations

BURST_SECONDS, BURST_PACKETS = 0.05, 64
"""What a busy machine may catch up on at once: the lesser of both."""
REVIEW_SECONDS, REVIEW_REPLIES = 0.5, 50
"""Losses are judged when both have passed."""
MUCH_LOST = 0.1
CUT, MEND = 0.7, 1.1
"""Factors of rate and window when much was lost, and of the rate when not; it never exceeds what was allowed."""
LEAST_RATE, LEAST_WINDOW = 5.0, 8.0


class RoundTrip:
    """How long replies take: smoothed mean and variation (RFC 6298 §2)."""

    def __init__(self, least: float, most: float) -> None:
        self.least, self.most = least, most
        self.best = most
        self.mean = self.variation = 0.0

    def add(self, seconds: float) -> None:
        """Take a measured time into account."""
        if self.mean:
            gap = seconds - self.mean
            self.mean += gap / 8
            self.variation += (abs(gap) - self.variation) / 4
        else:
            self.mean, self.variation = seconds, seconds / 2
        if seconds < self.best:
            self.best = seconds

    @property
    def soft(self) -> float:
        """The soft time-out."""
        measured = 2 * self.mean + 4 * self.variation if self.mean else self.most / 2
        return max(self.least, measured)

    @property
    def steady(self) -> bool:
        """No queue grows on the way or at the resolver."""
        return self.mean <= 1.5 * self.best + 0.005


class Throttle:
    """How much may be sent: at most `rate` packets a second; without rate, as many under way as are answered.

    It adapts downwards, and back up to what was allowed.
    """

    def __init__(self, rate: float, window: int, window_most: int) -> None:
        self.allowed = self.rate = rate
        self.slack = min(BURST_SECONDS, BURST_PACKETS / rate) if rate else 0.0
        """Seconds by which packets may be ahead of their even spacing, after a pause."""
        self.window = float("inf") if rate else float(window)
        self.window_most = window_most
        self.free_at: float | None = None
        self.cuts = 0
        self.cut_at = float("-inf")
        self._good = self._lost = self._stale = 0
        self._review_at = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until the rate allows a packet; 0 for now."""
        if not self.rate:
            return 0.0
        if self.free_at is None:
            self.free_at = now + self.slack
        return max(0.0, self.free_at - self.slack - now)

    def spend(self, now: float) -> None:
        """Take note of a packet sent at a rate."""
        self.free_at = max(self.free_at or now, now) + 1 / self.rate

    def heard(self, now: float, pipe: int, trip: RoundTrip) -> None:
        """Take note of a reply while `pipe` more are on the way: a window in use doubles until something is lost."""
        self._good += 1
        if self.window <= 2 * pipe and self.window < self.window_most and trip.steady:
            self.window += 1 / self.window if self.cuts else 1
        if now >= self._review_at and self._good + self._lost >= REVIEW_REPLIES:
            self._review(now)

    def lost(self, began: float) -> None:
        """Take note of a packet that was lost, or a failure that passed. What began before a cut caused it."""
        if began > self.cut_at:
            self._lost += 1
        else:
            self._stale += 1

    def _review(self, now: float) -> None:
        much = MUCH_LOST * (self._good + self._lost)
        if self._lost > much:
            self.cuts += 1
            self.cut_at = now
            self.window = max(LEAST_WINDOW, self.window * CUT)
            self.rate = max(min(LEAST_RATE, self.allowed), self.rate * CUT)
        elif self.rate < self.allowed and self._lost + self._stale <= much:
            self.rate = min(self.allowed, self.rate * MEND)
        self._good = self._lost = self._stale = 0
        self._review_at = now + REVIEW_SECONDS
