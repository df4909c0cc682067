"""Files: atomic writing, arrays behind prefixes, differences of documents."""
