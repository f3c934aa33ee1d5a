"""ModelKits and ModelPacks: reading, looking into, unpacking and packing them."""

from rolldeck.kit.model import ElementKind, Kit, KitKind, Layer
from rolldeck.kit.read import read_kit

__all__ = ["ElementKind", "Kit", "KitKind", "Layer", "read_kit"]
