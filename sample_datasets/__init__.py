"""A small file for each dataset format, and broken ones; also the test fixtures."""
