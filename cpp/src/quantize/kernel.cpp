#include "quantize/kernel.hpp"

#include <algorithm>
#include <array>

#include "quantize/kernel_builds.hpp"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace quantmap {

namespace {

struct Builds {
  std::array<const Kernels*, 3> list{};
  std::size_t count = 0;
};

Builds runnable() {
  Builds out;
  out.list[out.count++] = &scalar_kernels();
#if defined(__x86_64__)
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned kF16c = 1U << 29U;
  const bool half = __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & kF16c) != 0;
  if (half && __builtin_cpu_supports("avx2")) out.list[out.count++] = &avx2_kernels();
  if (half && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    out.list[out.count++] = &avx512_kernels();
  }
#endif
  return out;
}

const Builds& builds() {
  static const Builds kBuilds = runnable();
  return kBuilds;
}

}  // namespace

std::size_t kernel_count() noexcept { return builds().count; }

const Kernels& kernels(std::size_t index) noexcept { return *builds().list[std::min(index, builds().count - 1)]; }

}  // namespace quantmap
