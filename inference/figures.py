"""What the batcher tells about itself, for whoever scrapes the process."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

BATCH_ITEMS = Histogram(
    "sluice_batch_items", "Items in one pass of a model.", buckets=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128)
)
MODEL_SECONDS = Histogram(
    "sluice_model_seconds",
    "Seconds that one pass of a model took, waiting left out.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
# In several processes the sum over those that live.
BACKLOG = Gauge("sluice_batcher_backlog", "Items that wait for a model.", multiprocess_mode="livesum")
REFUSED = Counter("sluice_batcher_refused_total", "Items that were refused because too many waited already.")
