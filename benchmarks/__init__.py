"""Measurements, side by side with a yardstick in one run; ratios, never timed tests."""
