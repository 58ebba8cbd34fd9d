// What every binding includes, parsed once a build. A source still includes what it uses.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "objects.hpp"
