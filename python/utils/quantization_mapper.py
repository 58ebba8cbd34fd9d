"""The documented import path of the mapper: everything is in :mod:`quantmap.documented`."""

from quantmap.documented import *
