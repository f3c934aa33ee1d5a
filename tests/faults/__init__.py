"""Networks, disks and processes that fail in the middle: what stays, and what is fetched again."""
