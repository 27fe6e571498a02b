# Tests that are not GoogleTest programs.
