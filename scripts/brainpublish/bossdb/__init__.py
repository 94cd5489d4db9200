"""From a stack to a verified BossDB channel. Knows no file of the user."""
