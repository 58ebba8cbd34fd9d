// What most sources of the page's core include, parsed once a build (scripts/page). A source still includes what it
// uses.
#include <functional>
#include <map>
#include <set>
#include <variant>

#include "precompiled.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/mapping/launch.hpp"
