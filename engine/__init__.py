"""Everything LoRADeck does, without a screen: importing it loads neither textual nor torch."""

__version__ = "0.1.0"
