"""The process that fires schedules; any number of them may run."""
