// What every test includes, parsed once a build. A source still includes what it uses.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>
