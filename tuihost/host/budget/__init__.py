"""What people may take of the host, on all of its threads: the ledger with a lock and a log."""
