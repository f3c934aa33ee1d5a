"""The widgets of the deck, one per file: data come in, past-tense messages go out."""
