"""Tools that no one here wrote, run as they are: the CDKTF command line, an IAM evaluator, checkov.

Each is installed from its lock file by the first test that needs it; later runs find it in place.
"""
