"""Outward events after the Standard Webhooks specification (standardwebhooks.com).

The road of an event: `horizon` says up to where the table of events is complete, `feed` turns what is new there into
deliveries, `sending` claims those that are due and sends them through `network`, `schedule` says what follows from the
answer. `endpoints` and `redelivery` are what managers do.
"""
