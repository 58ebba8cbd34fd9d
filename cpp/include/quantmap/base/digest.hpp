// SHA-256, and sums of digests: a fingerprint of a set that does not depend on the order of its members.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace quantmap {

// SHA-256 of a text (FIPS 180-4, https://csrc.nist.gov/pubs/fips/180-4/upd1/final).
[[nodiscard]] std::array<std::uint8_t, 32> sha256(std::string_view text);
[[nodiscard]] std::string sha256_hex(std::string_view text);

// A sum, modulo 2^128, of the first 16 bytes (big endian) of the SHA-256 of each member. Two sets have the same sum
// when they have the same members; that different ones meet by accident has the odds of a 128-bit hash. Adding a
// member is one addition, so a million members' sets cost a million additions and not a million hashes.
struct MultisetHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  [[nodiscard]] static MultisetHash of(std::string_view member);
  MultisetHash& operator+=(const MultisetHash& other) noexcept;
  [[nodiscard]] bool operator==(const MultisetHash&) const noexcept = default;
  void append_hex(std::string& out) const;  // 32 digits
};

}  // namespace quantmap
