"""The values that absolute limits are checked against: one round each, with their uncertainty."""
