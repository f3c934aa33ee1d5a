"""The screens of the deck, one per file."""
