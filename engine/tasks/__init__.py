"""Task records, their events and journal, the store and the scheduler."""
