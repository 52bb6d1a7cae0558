"""A seeded fuzzer: mutated dataset files are read, or refused in words, and never hang."""
