// The weight files of a checkpoint in several parts, and the index that names them.
#pragma once

#include <string>
#include <vector>

#include "model/weights.hpp"

namespace quantmap {

// Reads the headers of all weight files in the folder and adds them up: safetensors through their index if there is
// one. False when `problems` got an error. `complete` becomes false when the index names a file that is not there.
bool read_shards(ModelFiles& files, WeightSum& sum, bool& complete, Diagnostics& problems, Diagnostics& notes);

// The parts of a GGUF model whose first or only file is `name`: "m-00001-of-00003.gguf" has two more.
[[nodiscard]] std::vector<std::string> gguf_parts(const ModelFiles& files, const std::string& name);

inline constexpr std::string_view kSafetensors = ".safetensors";
inline constexpr std::string_view kIndex = "model.safetensors.index.json";

}  // namespace quantmap
