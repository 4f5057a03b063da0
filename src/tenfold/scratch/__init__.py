"""Part 1: the network written out by hand, in NumPy alone. Read in this order:

layers, spatial   what each layer computes, and the way back through it
losses            what is to be made small
optimizers        how a gradient becomes a step
network           layers put together: one vector of parameters, one of gradients
engine            a recipe trained with them, as any engine trains it
gradcheck         the proof that a gradient is right
"""

from tenfold.scratch.engine import ScratchEngine

__all__ = ["ScratchEngine"]
