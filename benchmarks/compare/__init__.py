"""What comparing versions costs: time, requests, bytes."""
