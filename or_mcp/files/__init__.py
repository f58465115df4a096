"""What runs make beside words: files, kept once by their content, and never in anybody's context."""
