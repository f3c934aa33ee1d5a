"""ModelKits and ModelPacks: reading, unpacking and packing, from a Kitfile to its layers."""
