"""Backup and restore: a copy of the database, then of every file that it names.

The order makes the copy whole without stopping anything. Files are durable before a row names them and never change, so what
the database named when it was copied can be copied at leisure afterwards; only photos that are being deleted could slip away
meanwhile, and those are held back until the backup ends.

    FOLDER/files/media/ab/cd/abcd…      photos, masks, manifests: shared by all snapshots, so each copies what is new
    FOLDER/files/models/…               weights and their cards
    FOLDER/snapshots/2026-11-21T08-00-00Z/database.sqlite3 (or database.dump), SHA256SUMS, manifest.json, secret_key
"""
