"""The core of several workers in one run under a virtual clock, in which one seed decides everything that happens."""
