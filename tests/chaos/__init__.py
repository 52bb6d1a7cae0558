"""Faults at random into real trainings, compared with trainings that nothing disturbs."""
