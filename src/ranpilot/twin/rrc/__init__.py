"""Radio resource control: places of users, measurements, admission, handover, radio link failure."""
