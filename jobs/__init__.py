"""Jobs: thin functions with @job, one file a kind. They import `engine.authoring` only."""
