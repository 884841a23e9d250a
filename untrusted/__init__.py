"""What comes from elsewhere (a bucket, a repository, an archive, an engine), checked before it is used."""
