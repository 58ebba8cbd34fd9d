// What every binding includes, parsed once a build. A source still includes what it uses.
#include <pybind11/pybind11.h>
