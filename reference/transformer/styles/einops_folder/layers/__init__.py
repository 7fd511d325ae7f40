from .attention import MultiHead, attention
from .stack import Decoder, Encoder

__all__ = ["Decoder", "Encoder", "MultiHead", "attention"]
