// What JavaScript calls. Memory goes over the border by address: the caller reserves, and releases what it got.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "answers.hpp"

extern "C" {

void* qm_reserve(std::size_t size) { return std::malloc(size); }

void qm_release(void* address) { std::free(address); }

// The answer: its length in four bytes, then UTF-8; null when there is no memory left.
void* qm_answer(const char* question, std::size_t size) {
  const std::string out = quantmap::wasm::answer(std::string_view(question, size));
  const auto length = static_cast<std::uint32_t>(out.size());
  auto* answer = static_cast<char*>(std::malloc(sizeof length + out.size()));
  if (answer == nullptr) return nullptr;
  std::memcpy(answer, &length, sizeof length);
  std::memcpy(answer + sizeof length, out.data(), out.size());
  return answer;
}

}  // extern "C"
