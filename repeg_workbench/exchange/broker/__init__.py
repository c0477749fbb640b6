"""The account, its orders and their life cycle: risk checks, ledger, trading floor."""
