"""What fuzzing is made of: the mutations (`mutation`), the borders that hostile bytes cross (`wire`, `intake`)."""
