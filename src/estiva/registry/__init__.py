"""What is kept: names, versions and metadata in a database, content in blobs named by their SHA-256.

`store.Store` is the database, `blobs.Blobs` the content, `trees` turns folders into blobs and back,
`names` says what may be called what.
"""
