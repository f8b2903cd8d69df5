"""The command line: one module for each verb, none of which imports the engine before it has something to do."""
