#include "quantmap/base/digest.hpp"

#include <bit>
#include <cstring>

namespace quantmap {

namespace {

using Words = std::array<std::uint32_t, 64>;

// The first 32 bits of the fractional part of the cube roots of the first 64 primes, as the standard defines them.
// Written as numbers, since computing them would need more than double precision.
constexpr Words kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

class Sha256 {
 public:
  void block(const std::uint8_t* bytes) {
    Words w{};
    for (std::size_t i = 0; i < 16; ++i) {
      w[i] = std::uint32_t{bytes[4 * i]} << 24U | std::uint32_t{bytes[4 * i + 1]} << 16U |
             std::uint32_t{bytes[4 * i + 2]} << 8U | std::uint32_t{bytes[4 * i + 3]};
    }
    for (std::size_t i = 16; i < 64; ++i) {
      const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3U);
      const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10U);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    std::array<std::uint32_t, 8> v = state_;
    for (std::size_t i = 0; i < 64; ++i) {
      const std::uint32_t s1 = std::rotr(v[4], 6) ^ std::rotr(v[4], 11) ^ std::rotr(v[4], 25);
      const std::uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
      const std::uint32_t t1 = v[7] + s1 + choice + kRound[i] + w[i];
      const std::uint32_t s0 = std::rotr(v[0], 2) ^ std::rotr(v[0], 13) ^ std::rotr(v[0], 22);
      const std::uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
      v = {t1 + s0 + majority, v[0], v[1], v[2], v[3] + t1, v[4], v[5], v[6]};
    }
    for (std::size_t i = 0; i < state_.size(); ++i) state_[i] += v[i];
  }

  [[nodiscard]] std::array<std::uint8_t, 32> bytes() const {
    std::array<std::uint8_t, 32> out{};
    for (std::size_t i = 0; i < 32; ++i) out[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24U - 8U * (i % 4)));
    return out;
  }

 private:
  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
};

constexpr char kDigits[] = "0123456789abcdef";

std::uint64_t big_endian(const std::uint8_t* bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out = out << 8U | bytes[i];
  return out;
}

void append_digits(std::uint64_t number, std::string& out) {
  for (unsigned shift = 64; shift > 0; shift -= 4) out += kDigits[number >> (shift - 4) & 15U];
}

}  // namespace

std::array<std::uint8_t, 32> sha256(std::string_view text) {
  constexpr std::size_t kBlock = 64;
  Sha256 hash;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t done = 0;
  for (; text.size() - done >= kBlock; done += kBlock) hash.block(bytes + done);
  std::array<std::uint8_t, 2 * kBlock> tail{};
  const std::size_t rest = text.size() - done;
  if (rest > 0) std::memcpy(tail.data(), bytes + done, rest);
  tail[rest] = 0x80;
  const std::size_t size = rest + 9 <= kBlock ? kBlock : 2 * kBlock;
  const std::uint64_t bits = std::uint64_t{text.size()} * 8;
  for (std::size_t i = 0; i < 8; ++i) tail[size - 1 - i] = static_cast<std::uint8_t>(bits >> (8U * i));
  for (std::size_t at = 0; at < size; at += kBlock) hash.block(tail.data() + at);
  return hash.bytes();
}

std::string sha256_hex(std::string_view text) {
  std::string out;
  for (const std::uint8_t byte : sha256(text)) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

MultisetHash MultisetHash::of(std::string_view member) {
  const auto bytes = sha256(member);
  return {big_endian(bytes.data()), big_endian(bytes.data() + 8)};
}

MultisetHash& MultisetHash::operator+=(const MultisetHash& other) noexcept {
  low += other.low;
  high += other.high + (low < other.low ? 1U : 0U);
  return *this;
}

void MultisetHash::append_hex(std::string& out) const {
  append_digits(high, out);
  append_digits(low, out);
}

}  // namespace quantmap
