"""Starling's models in PyTorch, tensor for tensor what the Swift module `Conformer` computes."""
