"""Tests in a real terminal: a pty, and tmux."""
