// Commands that start an engine in a roundabout way, as the plain commands that they come to.
#pragma once

#include <optional>

#include "find_launch.hpp"

namespace quantmap {

// `uvx vllm@0.9.1 serve`, `python PATH/api_server.py`, `pm2 start vllm -- serve`, `$(which vllm) serve`: the words as
// they would stand alone. Nothing when they are plain already.
[[nodiscard]] std::optional<Command> plain_form(const Command& command);

// A container that a cloud's command line starts, of an image that an option names, as the docker run that does the
// same. Nothing when the command is none.
[[nodiscard]] std::optional<Command> hosted_container(const Command& command);

}  // namespace quantmap
