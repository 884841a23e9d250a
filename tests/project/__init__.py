"""The project as a newcomer finds it: README, walkthrough, the CDKTF command line, the rooms."""
