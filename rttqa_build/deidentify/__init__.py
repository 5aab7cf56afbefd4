"""PS3.15 Annex E applied to the element stream; identity harvest and residue scan; documents."""
