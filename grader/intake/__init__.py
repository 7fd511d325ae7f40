"""Hostile bytes in, a dict of harmless names and bounded bytes out.

`rules` says what may come in; `folder`, `zipped` and `tarred` read each kind of container under those rules.
Nothing is ever unpacked to disk, followed through a link, imported or parsed beyond its container.
"""
