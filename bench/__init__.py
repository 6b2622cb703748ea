"""How good the gate is, and what it costs: measured, never assumed. Knows perfci; perfci does not know it."""
