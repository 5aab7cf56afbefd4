"""A deterministic zip that holds a BagIt bag.

``archive`` compresses members and writes the file, ``layout`` names them, ``bag`` makes the files that prove
them complete, ``readme`` and ``provenance`` say what and whence they are, ``probe`` proves that this computer
gives the same bytes as any other.
"""
