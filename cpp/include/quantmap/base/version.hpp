// Engine versions: PEP 440 order, and the spellings of image tags.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quantmap {

// A version by PEP 440 (https://peps.python.org/pep-0440/). Epochs do not occur; a local part is ignored.
class Version {
 public:
  // "0.5.4.post2", "0.5.0rc0", "v0.11.0+cu128"; image suffixes as in "v0.5.2-cu126" are dropped. Nothing when it is no
  // version.
  [[nodiscard]] static std::optional<Version> parse(std::string_view text);

  [[nodiscard]] std::strong_ordering operator<=>(const Version& other) const noexcept;
  [[nodiscard]] bool operator==(const Version& other) const noexcept;
  // Normalised: "0.5.0rc0".
  [[nodiscard]] std::string str() const;

 private:
  std::vector<std::uint32_t> release_;  // trailing zeros removed for comparison only
  char pre_letter_ = 0;                 // 'a', 'b', 'c' (rc), or 0
  std::uint32_t pre_ = 0;
  std::optional<std::uint32_t> post_;
  std::optional<std::uint32_t> dev_;
};

}  // namespace quantmap
