#include "quantmap/config/checkpoint_kind.hpp"

#include <algorithm>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

std::size_t find_checkpoint_kind(std::string_view method) {
  const auto& kinds = catalog().checkpoint_kinds;
  const std::string wanted = lower(trim(method));
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (std::find(kinds[i].names.begin(), kinds[i].names.end(), std::string_view(wanted)) != kinds[i].names.end())
      return i;
  }
  return kinds.size() - 1;
}

}  // namespace quantmap
