// The builds of the kernels. The two wide ones exist for x86-64 only.
#pragma once

#include "quantize/kernel.hpp"

namespace quantmap {

[[nodiscard]] const Kernels& scalar_kernels() noexcept;
#if defined(__x86_64__)
[[nodiscard]] const Kernels& avx2_kernels() noexcept;
[[nodiscard]] const Kernels& avx512_kernels() noexcept;
// The quick way of both: whether the row could go it, and went.
bool encode_in_avx2(const Encoding& how, const RowSpan& span, RowSums& out);
#endif

}  // namespace quantmap
