"""Listing a repository of thousands of tags: a real registry, a slow line, and kit beside it."""
