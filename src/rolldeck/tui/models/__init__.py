"""What screens show, computed without an app: rows, order, filters, text."""
