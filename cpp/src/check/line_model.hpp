// The model that a launch serves: what the caller gives, else what its own words lead to.
#pragma once

#include <string>

#include "quantmap/check/check.hpp"

namespace quantmap {

struct LineModel {
  ModelQuantization model;
  bool known = false;  // something was read of it, or said; else only its name speaks
  bool own = true;     // it is the one that the launch names
};

// `named`: the model as the launch names it; empty when it names none. A local folder is read, an id that lies in the
// local cache, an id of a well-known model; of another name only what it suggests is left.
[[nodiscard]] LineModel read_line_model(const CheckRequest& request, const std::string& named, Diagnostics& notes,
                                        Diagnostics& problems);

// The same of a name alone, whatever the caller gives.
[[nodiscard]] LineModel read_named_model(const std::string& named, std::string_view cache, Diagnostics& notes);

}  // namespace quantmap
