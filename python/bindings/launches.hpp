// Finished launches: one dict of arguments for each four-field config, engine and deployment.
#pragma once

#include "objects.hpp"

#include <cstddef>

#include "quantmap/deployment/constraints.hpp"

namespace quantmap::bindings {

struct Launch {
  PyObject* arguments;  // a dict, copied for every caller
  bool warns;           // whether mapping it says something that is logged
  TargetValues values;  // checked mode: what the rules look at
};

// The number of a plain four-field config (or None), or -1 when it is anything else.
[[nodiscard]] long read_combination(PyObject* config);

// The launch of a combination, mapped at the first call and kept; null when no more are kept.
[[nodiscard]] const Launch* find_launch(std::size_t engine, const Deployment& deployment, std::size_t combination);

}  // namespace quantmap::bindings
